import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import ssh2 from "ssh2";
import { loadHostKey } from "./host-key.ts";

describe("a sandbox's host key", () => {
  const directory = mkdtempSync(join(tmpdir(), "host-key-"));
  const file = join(directory, "ssh_host_ed25519_key");
  after(() => rmSync(directory, { recursive: true }));

  it("is made once, for its owner alone, and is the same from then on", () => {
    const first = loadHostKey(directory);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(loadHostKey(directory), first);
  });

  it("is read by the SSH library as the same key", () => {
    const { privateKey, publicKey } = loadHostKey(directory);
    const parsed = ssh2.utils.parseKey(privateKey);
    if (parsed instanceof Error) throw parsed;
    assert.equal(`ssh-ed25519 ${parsed.getPublicSSH().toString("base64")}`, publicKey);
    const signature = parsed.sign("text");
    assert.ok(!(signature instanceof Error) && parsed.verify("text", signature));
  });

  it("is refused if its file is something else, or is damaged", () => {
    const whole = readFileSync(file, "latin1");
    for (const damaged of ["", "text", whole.slice(0, -40), whole.replace(/\n(.{20})/, "\nAAAAAAAAAAAAAAAAAAAA")]) {
      writeFileSync(file, damaged);
      assert.throws(() => loadHostKey(directory), /not a host key; remove it/);
    }
  });
});
