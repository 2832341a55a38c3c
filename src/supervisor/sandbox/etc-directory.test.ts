import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { completeEtc, copyEtc, lateEtcFiles, writeEtc } from "./etc-directory.ts";
import { TRUST_BUNDLE } from "./trust-files.ts";

const files = { uid: 4711, gid: 815, trust: { bundle: "bundle\n", authority: "authority\n" } };

describe("a sandbox's /etc", () => {
  let root: string;
  const at = (name: string) => join(root, "etc", name);
  const read = (name: string) => readFileSync(at(name), "utf8");

  before(() => {
    root = mkdtempSync(join(tmpdir(), "etc-directory-"));
  });
  after(() => rmSync(root, { recursive: true }));

  it("knows the sandbox's user, its resolver and its trust", () => {
    writeEtc(at(""), files);
    assert.match(read("passwd"), /^sandbox:x:4711:815:sandbox:\/sandbox:/m);
    assert.match(read("group"), /^sandbox:x:815:$/m);
    assert.match(read("resolv.conf"), /^nameserver 127\.0\.0\.1$/m);
    assert.equal(readFileSync(join(root, TRUST_BUNDLE), "utf8"), "bundle\n");
  });

  it("gets its name and policy late, in the files that are mounted already", () => {
    const inodes = () => lateEtcFiles.map((name) => statSync(at(name)).ino);
    const mounted = inodes();
    completeEtc(at(""), { sandboxName: "box", policy: "version: 1\n" });
    assert.deepEqual(inodes(), mounted);
    assert.equal(read("hostname"), "box\n");
    assert.match(read("hosts"), /^127\.0\.0\.1 localhost box$/m);
    assert.equal(read("openshell/policy.yaml"), "version: 1\n");
  });

  it("takes the place of the machine's files, and never writes through a link among them", () => {
    const outside = join(root, "outside");
    writeFileSync(outside, "the machine's\n");
    const copy = join(root, "copy");
    mkdirSync(copy);
    symlinkSync(outside, join(copy, "resolv.conf"));
    symlinkSync("../run/nowhere", join(copy, "hostname"));
    writeFileSync(join(copy, "passwd"), "the machine's\n", { mode: 0o444 });
    writeEtc(copy, files);
    assert.equal(readFileSync(outside, "utf8"), "the machine's\n");
    assert.match(readFileSync(join(copy, "resolv.conf"), "utf8"), /^nameserver/);
    assert.equal(readFileSync(join(copy, "hostname"), "utf8"), "");
    assert.match(readFileSync(join(copy, "passwd"), "utf8"), /^sandbox:/m);
  });

  it("is copied where it can't be laid over", () => {
    const copy = join(root, "whole");
    copyEtc(copy);
    assert.ok(existsSync(join(copy, "passwd")));
  });
});
