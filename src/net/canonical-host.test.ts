import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { canonicalHost } from "./canonical-host.ts";

describe("a host has one spelling", () => {
  const table: readonly (readonly [string, string])[] = [
    ["Example.COM", "example.com"],
    ["example.com.", "example.com"],
    ["_dmarc.example.com", "_dmarc.example.com"],
    ["BÜCHER.example", "xn--bcher-kva.example"],
    ["XN--BCHER-KVA.example", "xn--bcher-kva.example"],
    ["localhost", "localhost"],
    ["1.2.3.4", "1.2.3.4"],
    ["1.2.3.4.", "1.2.3.4"],
    ["2130706433", "127.0.0.1"],
    ["0177.0.0.1", "127.0.0.1"],
    ["0x7f.1", "127.0.0.1"],
    ["0X7F000001", "127.0.0.1"],
    ["127.1", "127.0.0.1"],
    ["0", "0.0.0.0"],
    ["0x", "0.0.0.0"],
    ["4294967295", "255.255.255.255"],
    ["[::1]", "::1"],
    ["::1", "::1"],
    ["[::ffff:1.2.3.4]", "1.2.3.4"],
    ["[2001:DB8:0:0::1]", "2001:db8::1"],
    ["1.2.3.4.example", "1.2.3.4.example"],
    ["0x7f.example", "0x7f.example"],
  ];
  for (const [written, expected] of table) {
    it(`${written} is ${expected}`, () => {
      const result = canonicalHost(written);
      assert.ok(result.ok, result.ok ? "" : result.why);
      assert.equal(result.host, expected);
      assert.equal(result.address?.text, /^[0-9.]+$|:/.test(expected) ? expected : undefined);
    });
  }
});

describe("a host without a canonical spelling is refused", () => {
  const refused = [
    "",
    ".",
    "..",
    "a..b",
    ".a",
    "a..",
    "a b",
    "a\0b",
    "a\nb",
    "a\x7fb",
    "a%2eb",
    "127.0.0.1%00",
    "a/b",
    "a\\b",
    "a@b",
    "a?b",
    "a#b",
    "a:80",
    "a*b",
    "*.example.com",
    "-oProxyCommand",
    "a-.example",
    "1.2.3.256",
    "4294967296",
    "1.2.3.4.5",
    "1.2.3.08",
    "a.1",
    "a.0x7f",
    "[1.2.3.4]",
    "[::1",
    "::1]",
    "[]",
    "[fe80::1%25eth0]",
    "fe80::1%eth0",
    "ｅxample.com", // full-width letter
    "example。com", // ideographic full stop
    "127。0。0。1",
    "exam\u00adple.com", // soft hyphen
    "exam\u200bple.com", // zero-width space
    "①②⑦.0.0.1",
    "\u212a.example", // Kelvin sign
    "a\ud800.example", // lone surrogate
    `${"a".repeat(64)}.example`,
    `${"a.".repeat(127)}aa`,
    "a".repeat(5000),
  ];
  for (const text of refused) {
    it(JSON.stringify(text.slice(0, 40)), () => {
      const result = canonicalHost(text);
      assert.equal(result.ok, false, result.ok ? result.host : "");
    });
  }
});

describe("canonical", () => {
  it("stays canonical", () => {
    const hosts = fc.oneof(
      fc.domain(),
      fc.ipV4Extended(),
      fc.ipV6(),
      fc.string({ unit: "grapheme" }),
      fc.webAuthority(),
    );
    fc.assert(
      fc.property(hosts, (text) => {
        const once = canonicalHost(text);
        if (!once.ok) return;
        const twice = canonicalHost(once.host);
        assert.deepEqual(twice, once);
        assert.match(once.host, /^[a-z0-9_.:-]+$/);
      }),
      { numRuns: 2000 },
    );
  });

  it("is what the URL parser makes of it, wherever it is accepted", () => {
    fc.assert(
      fc.property(fc.oneof(fc.domain(), fc.ipV4Extended()), (text) => {
        const result = canonicalHost(text);
        if (result.ok) assert.equal(new URL(`http://${text}/`).hostname, result.host);
      }),
      { numRuns: 1000 },
    );
  });
});
