import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import fc from "fast-check";
import { KeyFile, newKey } from "./key-file.ts";
import { seal, unseal } from "./seal.ts";
import { Secret } from "./secret.ts";
import { Vault, type WrappedKeyStore } from "./vault.ts";

describe("a vault", () => {
  let directory: string;
  let keyFile: KeyFile;
  let wrapped: Uint8Array | undefined;
  const store: WrappedKeyStore = {
    read: async () => wrapped,
    create: async (first) => {
      wrapped ??= first;
      return wrapped;
    },
    replace: async (next) => {
      wrapped = next;
    },
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "openshell-vault-"));
    keyFile = new KeyFile(join(directory, "secrets.key"));
    wrapped = undefined;
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it("opens what it sealed, also after it was opened anew", async () => {
    const sealed = (await Vault.open(keyFile, store)).seal(new Secret("canary"), "provider/a/TOKEN");
    assert.equal((await Vault.open(keyFile, store)).open(sealed, "provider/a/TOKEN").reveal(), "canary");
  });

  it("keeps its key in a file for its owner alone, and refuses one that others may read", async () => {
    await Vault.open(keyFile, store);
    assert.equal(statSync(keyFile.path).mode & 0o777, 0o600);
    chmodSync(keyFile.path, 0o640);
    if (statSync(keyFile.path).uid !== 0) await assert.rejects(Vault.open(keyFile, store), /chmod 600/);
    chmodSync(keyFile.path, 0o604);
    await assert.rejects(Vault.open(keyFile, store), /chmod 600/);
  });

  it("takes keys that are given as they are, and goes over to the one in the first line", async () => {
    const given = new KeyFile(keyFile.path, { isGiven: true });
    await assert.rejects(Vault.open(given, store), /is missing: make it with `openssl rand -base64 32`/);
    const [first, second] = [newKey(), newKey()];
    keyFile.write([first]);
    const vault = await Vault.open(given, store);
    const sealed = vault.seal(new Secret("canary"), "x");
    assert.equal(await vault.rotate(), false, "nobody has given it another key");
    keyFile.write([second, first]);
    assert.equal(await vault.rotate(), true);
    keyFile.write([second]);
    assert.equal((await Vault.open(given, store)).open(sealed, "x").reveal(), "canary");
  });

  it("opens no value that was moved to another place", async () => {
    const vault = await Vault.open(keyFile, store);
    const sealed = vault.seal(new Secret("canary"), "provider/a/TOKEN");
    assert.throws(() => vault.open(sealed, "provider/b/TOKEN"), /does not open/);
  });

  it("says what to do when its key is gone", async () => {
    await Vault.open(keyFile, store);
    rmSync(keyFile.path);
    await assert.rejects(Vault.open(keyFile, store), /secrets\.key is missing: put it back/);
    keyFile.write([newKey()]);
    await assert.rejects(Vault.open(keyFile, store), /does not fit/);
    writeFileSync(keyFile.path, "no key\n");
    await assert.rejects(Vault.open(keyFile, store), /damaged/);
  });

  it("changes its key without touching a value; the old key opens nothing any more", async () => {
    const vault = await Vault.open(keyFile, store);
    const sealed = vault.seal(new Secret("canary"), "x");
    const before = readFileSync(keyFile.path);
    await vault.rotate();
    assert.equal((await Vault.open(keyFile, store)).open(sealed, "x").reveal(), "canary");
    assert.equal(keyFile.read().length, 1);
    writeFileSync(keyFile.path, before);
    await assert.rejects(Vault.open(keyFile, store), /does not fit/);
  });

  it("survives a crash between any two steps of a rotation", async () => {
    const vault = await Vault.open(keyFile, store);
    const sealed = vault.seal(new Secret("canary"), "x");
    const [old] = keyFile.read();
    const next = newKey();
    keyFile.write([next, ...(old ? [old] : [])]);
    assert.equal((await Vault.open(keyFile, store)).open(sealed, "x").reveal(), "canary");
  });
});

describe("a sealed value", () => {
  it("opens to what was sealed, and not at all when a byte of it is another", () => {
    const key = newKey();
    fc.assert(
      fc.property(
        fc.uint8Array(),
        fc.string(),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (plain, place, at, flip) => {
          const sealed = seal(key, plain, place);
          assert.deepEqual(unseal(key, sealed, place), Buffer.from(plain));
          const index = at % sealed.length;
          sealed[index] = (sealed[index] ?? 0) ^ flip;
          assert.equal(unseal(key, sealed, place), undefined);
        },
      ),
    );
  });
});
