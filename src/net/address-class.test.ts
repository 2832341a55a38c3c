import assert from "node:assert/strict";
import { BlockList, isIP } from "node:net";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type AddressClass,
  addressFromBytes,
  cidrContains,
  cidrOverlaps,
  classifyAddress,
  type IpAddress,
  parseCidr,
  parseIpAddress,
} from "./address-class.ts";

function address(text: string): IpAddress {
  const parsed = parseIpAddress(text);
  assert.ok(parsed, text);
  return parsed;
}

describe("an address in text", () => {
  const canonical: readonly (readonly [string, string])[] = [
    ["1.2.3.4", "1.2.3.4"],
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["0:0:0:0:0:FFFF:0102:0304", "1.2.3.4"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["::", "::"],
    ["1::", "1::"],
    ["64:ff9b::1.2.3.4", "64:ff9b::102:304"],
  ];
  for (const [written, expected] of canonical) {
    it(`${written} is ${expected}`, () => assert.equal(address(written).text, expected));
  }

  const refused = [
    "",
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    "1.2.3.256",
    "1.2.3.4 ",
    "0x7f.0.0.1",
    "fe80::1%eth0",
    "[::1]",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "12345::",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "g::",
  ];
  for (const text of refused) {
    it(`${JSON.stringify(text)} is none`, () => assert.equal(parseIpAddress(text), undefined));
  }

  it("is one exactly when node:net says so", () => {
    const textual = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.string({ unit: fc.constantFrom(..."0123456789abf:.") }),
      fc
        .array(fc.constantFrom("0", "ffff", ":", "::", "1.2.3.4", "."), { maxLength: 12 })
        .map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(textual, (text) => {
        assert.equal(parseIpAddress(text) !== undefined, isIP(text) !== 0, text);
      }),
      { numRuns: 2000 },
    );
  });

  it("reads back as itself", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const made = addressFromBytes(bytes);
        assert.deepEqual(parseIpAddress(made.text), made);
      }),
    );
  });
});

describe("an address has the class of the worst it stands for", () => {
  const table: Readonly<Record<AddressClass, readonly string[]>> = {
    public: ["1.1.1.1", "172.32.0.1", "2606:4700::1", "64:ff9b::808:808", "2002:808:808::1", "100.63.255.255"],
    private: [
      "10.0.0.1",
      "172.31.255.255",
      "192.168.1.1",
      "100.64.0.1",
      "fd00::1",
      "64:ff9b::a00:1",
      "2002:a00:1::",
      "2606:4700::5efe:10.0.0.1",
      "2001:0:808:808:0:0:f5ff:fffe", // Teredo client 10.0.0.1
    ],
    loopback: ["127.0.0.1", "127.255.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1"],
    link_local: ["169.254.1.1", "fe80::1", "febf::1", "64:ff9b::a9fe:101"],
    metadata: [
      "169.254.169.254",
      "::ffff:169.254.169.254",
      "64:ff9b::a9fe:a9fe",
      "64:ff9b:1::a9fe:a9fe",
      "64:ff9b:1:a9fe:a9:fe00::",
      "2002:a9fe:a9fe::",
      "::a9fe:a9fe",
      "::ffff:0:a9fe:a9fe",
      "fe80::200:5efe:169.254.169.254",
      "fd00:ec2::254",
      "169.254.170.2",
      "100.100.100.200",
      "168.63.129.16",
    ],
    documentation: ["192.0.2.1", "198.51.100.7", "203.0.113.80", "2001:db8::1", "3fff::1", "64:ff9b::c000:201"],
    reserved: [
      "0.0.0.0",
      "0.1.2.3",
      "::",
      "198.18.0.1",
      "198.19.255.255",
      "224.0.0.1",
      "255.255.255.255",
      "240.0.0.1",
      "ff02::1",
      "2001:2::1",
      "fec0::1",
      "4000::1",
      "100::1",
      "::808:808",
      "64:ff9b:1::808:808",
    ],
  };
  for (const [kind, texts] of Object.entries(table)) {
    for (const text of texts) it(`${text} is ${kind}`, () => assert.equal(classifyAddress(address(text)), kind));
  }

  it("agrees with node's block list on private space", () => {
    const list = new BlockList();
    list.addSubnet("10.0.0.0", 8);
    list.addSubnet("172.16.0.0", 12);
    list.addSubnet("192.168.0.0", 16);
    list.addSubnet("100.64.0.0", 10);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.ipV4(),
          fc.nat(0xffff).map((n) => `172.${n >> 8}.${n & 0xff}.9`),
        ),
        (text) => {
          const kind = classifyAddress(address(text));
          assert.equal(kind === "private" || text === "100.100.100.200", list.check(text), `${text} ${kind}`);
        },
      ),
    );
  });

  it("whatever carries an IPv4 address is never milder than that address", () => {
    const severity: readonly AddressClass[] = [
      "public",
      "private",
      "documentation",
      "reserved",
      "link_local",
      "loopback",
      "metadata",
    ];
    fc.assert(
      fc.property(
        fc.ipV4(),
        fc.constantFrom("::", "::ffff:", "64:ff9b::", "64:ff9b:1::", "fd00::5efe:"),
        (quad, prefix) => {
          const carried = classifyAddress(address(quad));
          const carrier = classifyAddress(address(`${prefix}${quad}`));
          assert.ok(severity.indexOf(carrier) >= severity.indexOf(carried), `${prefix}${quad}: ${carrier}`);
        },
      ),
    );
  });
});

describe("a block of addresses", () => {
  it("is read with its host bits cleared, and a lone address is a block of one", () => {
    assert.equal(parseCidr("10.1.2.3/8")?.text, "10.0.0.0/8");
    assert.equal(parseCidr("10.1.2.3")?.text, "10.1.2.3/32");
    assert.equal(parseCidr("FD00::1/7")?.text, "fc00::/7");
    assert.equal(parseCidr("::ffff:10.0.0.0/104")?.text, "10.0.0.0/8");
  });

  for (const text of [
    "",
    "/8",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/08",
    "::/129",
    "10.0.0.0/8/8",
    "10.0.0/8",
    "a/8",
  ]) {
    it(`${JSON.stringify(text)} is none`, () => assert.equal(parseCidr(text), undefined));
  }

  it("contains what node's block list says it contains", () => {
    const near = (text: string, flip: number): string => {
      const bytes = text.split(".").map(Number);
      bytes[flip >> 3] = (bytes[flip >> 3] ?? 0) ^ (1 << (flip & 7));
      return bytes.join(".");
    };
    fc.assert(
      fc.property(fc.ipV4(), fc.nat(32), fc.nat(31), (base, prefix, flip) => {
        const list = new BlockList();
        list.addSubnet(base, prefix);
        const cidr = parseCidr(`${base}/${prefix}`);
        assert.ok(cidr);
        const candidate = near(base, flip);
        assert.equal(cidrContains(cidr, address(candidate)), list.check(candidate));
      }),
    );
    fc.assert(
      fc.property(fc.ipV6(), fc.integer({ min: 1, max: 128 }), fc.ipV6(), (base, prefix, other) => {
        const [block, candidate] = [address(base), address(other)];
        if (block.family === 4 || candidate.family === 4) return;
        const list = new BlockList();
        list.addSubnet(base, prefix, "ipv6");
        const cidr = parseCidr(`${base}/${prefix}`);
        assert.ok(cidr);
        assert.equal(cidrContains(cidr, candidate), list.check(other, "ipv6"));
        assert.ok(cidrContains(cidr, block));
      }),
    );
  });

  it("never contains an address of the other family", () => {
    const everything = parseCidr("::/0");
    assert.ok(everything);
    assert.equal(cidrContains(everything, address("::ffff:1.2.3.4")), false);
  });

  it("overlaps a block that contains it, and not a neighbour", () => {
    const [a, b, c] = ["10.0.0.0/8", "10.9.0.0/16", "11.0.0.0/8"].map((text) => parseCidr(text));
    assert.ok(a && b && c);
    assert.ok(cidrOverlaps(a, b) && cidrOverlaps(b, a));
    assert.equal(cidrOverlaps(b, c), false);
  });
});
