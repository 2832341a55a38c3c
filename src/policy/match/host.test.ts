import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CanonicalHost } from "../../net/canonical-host.ts";
import { compileHost, parseHostPattern } from "./host.ts";

describe("a host pattern", () => {
  const table: readonly (readonly [string, string, boolean])[] = [
    ["api.example.com", "api.example.com", true],
    ["API.Example.com.", "api.example.com", true],
    ["api.example.com", "xapi.example.com", false],
    ["*.example.com", "a.example.com", true],
    ["*.example.com", "a.b.example.com", false],
    ["*.example.com", "example.com", false],
    ["*.example.com", "aexample.com", false],
    ["*.example.com", "a.example.com.evil.invalid", false],
    ["**.example.com", "a.example.com", true],
    ["**.example.com", "a.b.example.com", true],
    ["**.example.com", "example.com", false],
    ["*-api.example.com", "eu-api.example.com", true],
    ["*-api.example.com", "a.eu-api.example.com", false],
    ["*-API.example.com", "eu-api.example.com", true],
    ["0x7f.1", "127.0.0.1", true],
    ["[FD00::1]", "fd00::1", true],
  ];
  for (const [written, host, expected] of table) {
    it(`${written} ${expected ? "matches" : "does not match"} ${host}`, () => {
      const parsed = parseHostPattern(written);
      assert.ok(parsed.ok);
      assert.equal(compileHost(parsed.pattern)(host as CanonicalHost), expected);
    });
  }

  const refused = [
    "*",
    "**",
    "*.com",
    "*-api.com",
    "a.*.com",
    "*.*.example.com",
    "a**.example.com",
    "*.1.2.3",
    "*.",
    "*..com",
    "* .example.com",
    "-*.example.com",
  ];
  for (const written of refused) {
    it(`${written} is refused`, () => assert.equal(parseHostPattern(written).ok, false));
  }
});
