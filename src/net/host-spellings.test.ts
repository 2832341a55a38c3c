/** No spelling of a host gets past what is said about that host: it has one canonical form, or none. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type AddressClass, classifyAddress } from "./address-class.ts";
import { parseAuthority } from "./authority.ts";
import { canonicalHost } from "./canonical-host.ts";

/** Spellings of addresses that no sandbox may reach, by the class in which they have to land if they are taken at all. */
const addresses: Readonly<Partial<Record<AddressClass, readonly string[]>>> = {
  loopback: [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.000.000.001",
    "0177.0.0.1",
    "0177.0.0.01",
    "00177.0.0.1",
    "0x7f.0.0.1",
    "0X7F.0.0.1",
    "0x7f.1",
    "0x7f000001",
    "0x000000007f000001",
    "2130706433",
    "017700000001",
    "0000017700000001",
    "127.0.0.1.",
    "127.255.255.254",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::0.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::FFFF:7F00:0001]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:7f00:0001::1]",
    "::1",
    "::ffff:127.0.0.1",
  ],
  metadata: [
    "169.254.169.254",
    "169.254.43518",
    "169.16689662",
    "2852039166",
    "0xa9fea9fe",
    "0xa9.0xfe.0xa9.0xfe",
    "0251.0376.0251.0376",
    "0251.254.169.254",
    "025177524776",
    "169.254.169.254.",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[::169.254.169.254]",
    "[64:ff9b::169.254.169.254]",
    "[2002:a9fe:a9fe::1]",
    "[fd00:ec2::254]",
    "[FD00:0EC2:0:0:0:0:0:254]",
  ],
  private: [
    "10.1",
    "0xa.0.0.1",
    "012.0.0.1",
    "167772161",
    "192.168.257",
    "172.1048577",
    "[::ffff:10.0.0.1]",
    "[fc00::1]",
  ],
  link_local: ["169.254.1", "[fe80::1]", "[FE80:0::0001]"],
  reserved: ["0", "0.0.0.0", "0x0", "00", "[::]", "[0::0]", "255.255.255.255", "4294967295", "224.0.0.1", "[ff02::1]"],
};

/** What is no host in anybody's honest use, or reads as two. */
const refused: readonly string[] = [
  "127.0.0.1%00.example.com",
  "127.0.0.1\u0000.example.com",
  "api.example.com\u0000.evil.invalid",
  "api.example.com\n.evil.invalid",
  "api.example.com\t",
  " api.example.com",
  "api.example.com ",
  "api.example.com/",
  "api.example.com/.evil.invalid",
  "api.example.com\\.evil.invalid",
  "api.example.com@evil.invalid",
  "user:pass@api.example.com",
  "api.example.com#evil.invalid",
  "api.example.com?evil.invalid",
  "api.example.com:80:443",
  "api.example.com%2eevil.invalid",
  "api%2eexample%2ecom",
  "%61pi.example.com",
  "api..example.com",
  ".api.example.com",
  "api.example.com..",
  "api.example.com,evil.invalid",
  "api.example.com;evil.invalid",
  "api.example.com|evil.invalid",
  "api.example.com&evil.invalid",
  "*.example.com",
  "-api.example.com",
  "api-.example.com",
  "api.example.com\u3002",
  "api\u3002example\u3002com",
  "api\uff0eexample\uff0ecom",
  "api\uff61example\uff61com",
  "\uff41pi.example.com",
  "a\u00adpi.example.com",
  "a\u200bpi.example.com",
  "a\u200dpi.example.com",
  "\u24d0pi.example.com",
  "\u2100.example.com",
  "\u2488.example.com",
  "\u2460\u2461\u2466.0.0.1",
  "\uff11\uff12\uff17.0.0.1",
  "[::1%25eth0]",
  "[::1%eth0]",
  "[fe80::1%1]",
  "fe80::1%lo",
  "[::1",
  "::1]",
  "[[::1]]",
  "[127.0.0.1]",
  "[::1]x",
  "[:::1]",
  "[1::2::3]",
  "[::g]",
  "[::12345]",
  "[::127.1]",
  "[::0x7f.0.0.1]",
  "[v1.fe80::1]",
  "127.0.0.256",
  "127.0.0.0.1",
  "256.0.0.1",
  "0x100000000",
  "4294967296",
  "08.0.0.1",
  "0x7g.0.0.1",
  "1.2.3.4.5",
  "example.1",
  "example.0x7f",
  "",
  ".",
  "..",
  "a".repeat(64),
  `${"a.".repeat(127)}a`,
];

/** Spellings of the name that a policy would give as `api.example.com`. */
const sameName: readonly string[] = ["api.example.com", "API.EXAMPLE.COM", "Api.Example.Com", "api.example.com."];

/** Names that look like another and are not: each stays a name of its own, written so that it can be told apart. */
const otherNames: readonly (readonly [string, string])[] = [
  ["\u0430pi.example.com", "xn--pi-6kc.example.com"],
  ["api.ex\u00e4mple.com", "api.xn--exmple-cua.com"],
  ["api.example.com.evil.invalid", "api.example.com.evil.invalid"],
  ["api_example.com", "api_example.com"],
  ["127.0.0.1.evil.invalid", "127.0.0.1.evil.invalid"],
];

describe("a host's spelling", () => {
  for (const [expected, spellings] of Object.entries(addresses)) {
    for (const spelling of spellings) {
      it(`${spelling} is ${expected}, or no host`, () => {
        const result = canonicalHost(spelling);
        assert.ok(!result.ok || (result.address !== undefined && classifyAddress(result.address) === expected));
      });
    }
  }
  for (const spelling of refused) {
    it(`${JSON.stringify(spelling)} is refused`, () => assert.equal(canonicalHost(spelling).ok, false));
  }
  for (const spelling of sameName) {
    it(`${spelling} is the same name`, () =>
      assert.deepEqual(canonicalHost(spelling), canonicalHost("api.example.com")));
  }
  for (const [spelling, expected] of otherNames) {
    it(`${spelling} is another name`, () => {
      const result = canonicalHost(spelling);
      assert.equal(result.ok && result.host, expected);
    });
  }
});

describe("an authority's spelling", () => {
  const malformed = [
    "host:",
    "host:0",
    "host:65536",
    "host:+80",
    "host:-1",
    "host:0x50",
    "host:8 0",
    "host: 80",
    "host:80a",
  ];
  for (const text of [
    ...malformed,
    "x@host:80",
    "host:80/",
    "host:80#",
    "::1:80",
    "[::1]80",
    "[::1]:",
    ":80",
    "host:\u0660",
  ]) {
    it(`${JSON.stringify(text)} is refused`, () => assert.equal(parseAuthority(text).ok, false));
  }
  for (const [text, port] of [
    ["host:80", 80],
    ["host:00443", 443],
    ["[::1]:443", 443],
  ] as const) {
    it(`${text} is taken at most as port ${port}`, () => {
      const result = parseAuthority(text);
      assert.ok(!result.ok || result.port === port);
    });
  }
});
