import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { authorityInFiles } from "./authority-place.ts";
import { loadCertificates } from "./gateway-certificates.ts";

const DAY_MS = 86_400_000;

it("a gateway's certificates are kept, and made anew when they are old or of a time that has not come yet", async () => {
  const directory = mkdtempSync(join(tmpdir(), "openshell-certificates-"));
  try {
    const today = new Date("2026-04-01T12:00:00Z");
    const on = (days: number) =>
      loadCertificates(
        { authority: authorityInFiles(directory), directory },
        { now: new Date(today.getTime() + days * DAY_MS), user: "somebody" },
      );
    const first = await on(0);
    assert.deepEqual(await on(100), first);
    const renewed = await on(380);
    assert.equal(renewed.authority, first.authority);
    assert.notEqual(renewed.serverCertificate, first.serverCertificate);

    // The machine's clock was ten years ahead at one start, and is right again at the next.
    assert.notEqual((await on(3_650)).authority, first.authority);
    const right = await on(1);
    for (const pem of [right.authority, right.serverCertificate, right.clientCertificate]) {
      const { validFromDate } = new X509Certificate(pem);
      assert.ok(validFromDate.getTime() <= today.getTime() + DAY_MS);
    }
    assert.ok(new X509Certificate(right.serverCertificate).verify(new X509Certificate(right.authority).publicKey));
  } finally {
    rmSync(directory, { recursive: true });
  }
});
