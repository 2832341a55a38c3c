import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { describe, it } from "node:test";
import { createCertificateAuthority } from "../../net/x509/certificate-authority.ts";
import { trustFiles } from "./trust-files.ts";

describe("what the sandbox's programs trust", () => {
  it("tells browsers of the sandbox's authority, as their administrator would", () => {
    const validity = { now: new Date(), days: 1 };
    const { pem } = createCertificateAuthority({ commonName: "Authority" }, validity);
    const files = trustFiles({ bundle: pem, authority: pem });
    for (const browser of ["chromium", "opt/chrome"]) {
      const { CACertificates } = JSON.parse(String(files[`${browser}/policies/managed/openshell.json`]));
      assert.deepEqual(
        CACertificates.map((der: string) => new X509Certificate(Buffer.from(der, "base64")).subject),
        [new X509Certificate(pem).subject],
      );
    }
  });
});
