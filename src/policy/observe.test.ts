import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseIpAddress } from "../net/address-class.ts";
import type { CanonicalHost } from "../net/canonical-host.ts";
import { compilePolicy } from "./compile.ts";
import { addressPermitted } from "./match/address.ts";
import { observing } from "./observe.ts";
import { arbitraryPolicy } from "./test-support/arbitrary-policy.ts";
import type { Caller, Destination, RequestFacts } from "./verdict.ts";

const destination: fc.Arbitrary<Destination> = fc.record({
  host: fc.constantFrom("api.example.invalid", "other.invalid", "10.0.0.5") as fc.Arbitrary<CanonicalHost>,
  port: fc.constantFrom(80, 443, 22),
});
const caller: fc.Arbitrary<Caller> = fc.constantFrom(
  { path: "/usr/bin/curl", ancestors: [] },
  { path: "/opt/a/b", ancestors: ["/usr/bin/env"] },
);
const request: fc.Arbitrary<RequestFacts> = fc.record({
  method: fc.constantFrom("GET", "POST", "DELETE"),
  path: fc.constantFrom("/", "/a/b", "/a%2Fb"),
  query: fc.constant([]),
  hasEncodedSlash: fc.boolean(),
});

describe("a policy that is only observed", () => {
  it("lets every connection and request pass, and says what the policy says of them", () => {
    fc.assert(
      fc.property(arbitraryPolicy, destination, caller, request, (policy, to, by, asked) => {
        const enforced = compilePolicy(policy, { version: 1, hash: "" });
        const observed = observing(enforced);
        const verdict = enforced.connect(to, by);
        const passed = observed.connect(to, by);
        assert.equal(passed.kind, "allow");
        const answer = observed.request(passed.endpoints, asked);
        assert.ok(answer.kind === "allow" || answer.auditOnly);
        if (verdict.kind === "deny") {
          assert.equal(passed.observed?.reason, verdict.reason);
          assert.equal(passed.observed.rule, verdict.rule);
          assert.ok(answer.kind === "deny" && answer.reason === verdict.reason);
        } else {
          assert.deepEqual(passed, verdict);
          const { auditOnly: _, ...said } = { auditOnly: true, ...enforced.request(verdict.endpoints, asked) };
          const { auditOnly: __, ...seen } = { auditOnly: true, ...answer };
          assert.deepEqual(seen, said);
        }
      }),
    );
  });

  it("opens no private address for a host that no rule names", () => {
    const policy = observing({
      revision: { version: 1, hash: "" },
      connect: () => ({ kind: "deny", reason: "decide.implicit_deny" }),
      request: () => assert.fail("no rule is asked about a connection that none allows"),
    });
    const host = "intranet.invalid" as CanonicalHost;
    const passed = policy.connect({ host, port: 443 }, { path: "/usr/bin/curl", ancestors: [] });
    assert.ok(passed.kind === "allow");
    const permitted = (text: string) => {
      const address = parseIpAddress(text);
      return address && addressPermitted(passed.endpoints, host, address);
    };
    assert.equal(permitted("192.168.1.1"), "guard.private");
    assert.equal(permitted("169.254.169.254"), "guard.metadata");
    assert.equal(permitted("93.184.215.14"), true);
  });
});
