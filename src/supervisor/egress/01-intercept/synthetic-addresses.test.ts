import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CanonicalHost, canonicalHost } from "../../../net/canonical-host.ts";
import { formatIpBytes } from "../../../net/ip-bytes.ts";
import { SyntheticAddresses, syntheticNamesLimit } from "./synthetic-addresses.ts";

function host(text: string): CanonicalHost {
  const canonical = canonicalHost(text);
  assert.ok(canonical.ok);
  return canonical.host;
}

describe("synthetic addresses", () => {
  it("stand for one name each, and stay", () => {
    const addresses = new SyntheticAddresses();
    const first = addresses.addressesFor(host("one.test"));
    const second = addresses.addressesFor(host("two.test"));
    assert.ok(first && second);
    assert.equal(formatIpBytes(first.ipv4), "198.18.0.1");
    assert.equal(formatIpBytes(first.ipv6), "2001:2::1");
    assert.equal(formatIpBytes(second.ipv4), "198.18.0.2");
    assert.deepEqual(addresses.addressesFor(host("one.test")), first);
    assert.equal(addresses.nameOf(first.ipv4), "one.test");
    assert.equal(addresses.nameOf(second.ipv6), "two.test");
  });

  it("stand for nothing unless they were given out", () => {
    const addresses = new SyntheticAddresses();
    addresses.addressesFor(host("one.test"));
    for (const bytes of [
      [198, 18, 0, 0],
      [198, 18, 0, 2],
      [198, 20, 0, 1],
      [127, 0, 0, 1],
      [0x20, 0x01, 0, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1],
      [0x20, 0x01, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1],
    ]) {
      assert.equal(addresses.nameOf(Uint8Array.from(bytes)), undefined);
    }
  });

  it("are refused to new names when there are too many, and kept for old ones", () => {
    const addresses = new SyntheticAddresses();
    for (let i = 0; i < syntheticNamesLimit; i++) assert.ok(addresses.addressesFor(`n${i}.test` as CanonicalHost));
    assert.equal(addresses.addressesFor(host("late.test")), undefined);
    const last = addresses.addressesFor(host(`n${syntheticNamesLimit - 1}.test`));
    assert.ok(last);
    assert.equal(formatIpBytes(last.ipv4), "198.19.0.0");
    assert.equal(addresses.nameOf(last.ipv4), `n${syntheticNamesLimit - 1}.test`);
    assert.equal(addresses.nameOf(last.ipv6), `n${syntheticNamesLimit - 1}.test`);
  });
});
