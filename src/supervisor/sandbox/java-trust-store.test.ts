import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { describe, it } from "node:test";
import { systemCertificates } from "../../net/system-certificates.ts";
import { javaTrustStore } from "./java-trust-store.ts";

/** As a Java program reads it, which takes lengths from the file and so stumbles over any that is wrong. */
function readTrustStore(store: Buffer): Buffer[] {
  let rest = store;
  const take = (length: number) => {
    const taken = rest.subarray(0, length);
    rest = rest.subarray(length);
    return taken;
  };
  const text = () => take(take(2).readUInt16BE()).toString("latin1");
  assert.deepEqual([take(4).readUInt32BE(), take(4).readUInt32BE()], [0xfeedfeed, 2]);
  const certificates = Array.from({ length: take(4).readUInt32BE() }, (_, index) => {
    assert.deepEqual([take(4).readUInt32BE(), text(), take(8).length, text()], [2, `authority-${index}`, 8, "X.509"]);
    return take(take(4).readUInt32BE());
  });
  assert.equal(rest.length, 20);
  return certificates;
}

describe("a trust store for Java", () => {
  it("holds every certificate of the bundle", () => {
    const bundle = systemCertificates();
    const certificates = readTrustStore(javaTrustStore(bundle));
    assert.equal(certificates.length, bundle.split("BEGIN CERTIFICATE").length - 1);
    for (const certificate of certificates) assert.ok(new X509Certificate(certificate).ca);
  });

  it("is, with nothing in it, what keytool makes of nothing", () => {
    // `keytool -delete` of the only entry, with `-storetype JKS -storepass changeit`.
    const empty = "feedfeed0000000200000000";
    assert.equal(javaTrustStore("").toString("hex"), `${empty}e2686e45fb43dfa4d992dd41ceb6b21c6330d792`);
  });
});
