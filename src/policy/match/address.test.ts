import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseIpAddress } from "../../net/address-class.ts";
import { canonicalHost } from "../../net/canonical-host.ts";
import { parsePolicy } from "../parse.ts";
import type { ReasonCode } from "../reason-codes.ts";
import type { MatchedEndpoint } from "../verdict.ts";
import { addressPermitted } from "./address.ts";

function endpoints(fields: string): MatchedEndpoint[] {
  const result = parsePolicy(
    `{version: 1, network_policies: {r: {endpoints: [{port: 443, ${fields}}], binaries: [{path: any}]}}}`,
  );
  assert.ok(result.ok, JSON.stringify(result));
  const rule = result.policy.networkPolicies.get("r");
  return (rule?.endpoints ?? []).map((endpoint) => ({ rule: "r", endpoint }));
}

const exact = "host: db.internal.invalid";
const wildcard = "host: '*.internal.invalid'";
const proposed = "host: db.internal.invalid, advisor_proposed: true";

describe("an address that an allowed name leads to", () => {
  const table: readonly (readonly [string, string, true | ReasonCode])[] = [
    [exact, "1.1.1.1", true],
    [wildcard, "1.1.1.1", true],
    [exact, "10.0.0.5", true],
    [exact, "fd00::5", true],
    [exact, "100.64.0.1", true],
    [wildcard, "10.0.0.5", "guard.private"],
    [proposed, "10.0.0.5", "guard.private"],
    [`${wildcard}, allowed_ips: [10.0.0.0/8]`, "10.0.0.5", true],
    [`${proposed}, allowed_ips: [10.0.0.5]`, "10.0.0.5", true],
    [`${proposed}, allowed_ips: [10.0.0.5]`, "10.0.0.6", "guard.private"],
    [`${exact}, allowed_ips: [10.0.0.0/8]`, "192.168.0.1", "guard.private"],
    [`${exact}, allowed_ips: [10.0.0.0/8]`, "1.1.1.1", "decide.implicit_deny"],
    ["allowed_ips: [10.0.0.0/8]", "10.0.0.5", true],
    ["allowed_ips: [10.0.0.0/8]", "1.1.1.1", "decide.implicit_deny"],
    [exact, "127.0.0.1", "guard.loopback"],
    [exact, "::ffff:127.0.0.1", "guard.loopback"],
    [exact, "169.254.1.1", "guard.link_local"],
    [exact, "169.254.169.254", "guard.metadata"],
    [exact, "64:ff9b::a9fe:a9fe", "guard.metadata"],
    [exact, "0.0.0.0", "guard.reserved"],
    [exact, "224.0.0.1", "guard.reserved"],
    ["allowed_ips: [100.64.0.0/10]", "100.100.100.200", "guard.metadata"],
  ];
  for (const [fields, text, expected] of table) {
    it(`${text} with ${fields}: ${expected}`, () => {
      const host = canonicalHost("db.internal.invalid");
      const address = parseIpAddress(text);
      assert.ok(host.ok && address);
      assert.equal(addressPermitted(endpoints(fields), host.host, address), expected);
    });
  }

  it("may be a private one that the policy names itself", () => {
    const host = canonicalHost("10.0.0.5");
    assert.ok(host.ok && host.address);
    assert.equal(addressPermitted(endpoints("host: 10.0.0.5"), host.host, host.address), true);
  });
});
