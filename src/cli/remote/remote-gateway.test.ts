import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import fc from "fast-check";
import { hostOf, parseDestination } from "./remote-gateway.ts";
import { quoted, sshArguments } from "./ssh.ts";

describe("an SSH destination", () => {
  for (const [typed, parsed] of [
    ["me@build.example", { destination: "me@build.example" }],
    ["build", { destination: "build" }],
    ["me@build.example:2222", { destination: "me@build.example", port: 2222 }],
    ["ssh://me@build.example:22/", { destination: "me@build.example", port: 22 }],
    ["me@[2001:db8::1]:22", { destination: "me@[2001:db8::1]", port: 22 }],
    ["me@2001:db8::1", { destination: "me@2001:db8::1" }],
  ] as const) {
    it(`is ${typed}`, () => assert.deepEqual(parseDestination(typed), parsed));
  }

  for (const typed of [
    "",
    "-oProxyCommand=sh",
    "me@-host",
    "a b",
    "host;id",
    "me@host:99999",
    "$(id)",
    "me@host/path",
  ]) {
    it(`is not ${JSON.stringify(typed)}`, () => assert.throws(() => parseDestination(typed), /no SSH destination/));
  }

  it("has a host that names the gateway", () => {
    assert.equal(hostOf("me@build.example"), "build.example");
    assert.equal(hostOf("me@[2001:db8::1]"), "2001:db8::1");
  });
});

describe("a command over SSH", () => {
  const access = { destination: "me@host", controlPath: "/run/100%/ssh", key: "/keys/one", port: 2222 };

  it("goes over the shared connection, by the key that was named and no other", () => {
    const args = sshArguments(access);
    assert.equal(args.at(-1), "me@host");
    assert.ok(args.includes("ControlPath=/run/100%%/ssh"));
    assert.deepEqual(args.slice(args.indexOf("-p"), -1), ["-p", "2222", "-i", "/keys/one", "-o", "IdentitiesOnly=yes"]);
  });

  it("reaches a POSIX shell word for word", () => {
    const word = fc.string({ unit: "grapheme-ascii" }).filter((text) => !text.includes("\0"));
    fc.assert(
      fc.property(word, (text) => {
        assert.equal(execFileSync("sh", ["-c", `printf %s ${quoted(text)}`], { encoding: "utf8" }), text);
      }),
      { numRuns: 50 },
    );
  });
});
