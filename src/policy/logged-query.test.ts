import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { CanonicalHost } from "../net/canonical-host.ts";
import { compilePolicy } from "./compile.ts";
import { atBest, loggedQuery } from "./logged-query.ts";
import { queryTests } from "./query-conditions.ts";
import { arbitraryPolicy } from "./test-support/arbitrary-policy.ts";
import type { CompiledPolicy, MatchedEndpoint, RequestFacts } from "./verdict.ts";

const request: fc.Arbitrary<RequestFacts> = fc.record({
  method: fc.constantFrom("GET", "HEAD", "POST", "DELETE"),
  path: fc.constantFrom("/", "/a/b", "/a/c", "/b/x", "/a;x/b"),
  query: fc.array(fc.tuple(fc.constantFrom("q", "tag"), fc.constantFrom("v1", "v2", "xx")), { maxLength: 3 }),
  hasEncodedSlash: fc.constant(false),
});

const host = fc.constantFrom("api.example.invalid", "www.example.invalid") as fc.Arbitrary<CanonicalHost>;

/** The endpoints that take part, if the policy lets curl connect. */
function endpointsFor(policy: CompiledPolicy, to: CanonicalHost): readonly MatchedEndpoint[] {
  const verdict = policy.connect({ host: to, port: 443 }, { path: "/usr/bin/curl", ancestors: [] });
  return verdict.kind === "allow" ? verdict.endpoints : [];
}

/** As it is read back from the log. */
function logged(facts: RequestFacts, endpoints: readonly MatchedEndpoint[]): RequestFacts {
  const tests = endpoints.flatMap(({ endpoint }) => queryTests(endpoint, facts).flat());
  const query = facts.query.map(([name]) => [name, "[redacted]"] as const);
  return { ...facts, query, queryHolds: loggedQuery(query, tests, false) };
}

const compiled = arbitraryPolicy.map((policy) => compilePolicy(policy, { version: 0, hash: "" }));

describe("a query from the log", () => {
  it("is decided by the same policy as it was when its values were known", () => {
    fc.assert(
      fc.property(compiled, host, request, (policy, to, facts) => {
        const endpoints = endpointsFor(policy, to);
        assert.deepEqual(policy.request(endpoints, logged(facts, endpoints)), policy.request(endpoints, facts));
      }),
      { numRuns: 500 },
    );
  });

  it("is never said by another policy to be allowed, or denied at best, where its values would make it otherwise", () => {
    fc.assert(
      fc.property(compiled, compiled, host, request, (before, after, to, facts) => {
        const fromLog = logged(facts, endpointsFor(before, to));
        const endpoints = endpointsFor(after, to);
        const { kind } = after.request(endpoints, facts);
        if (after.request(endpoints, fromLog).kind === "allow") assert.equal(kind, "allow");
        if (after.request(endpoints, atBest(fromLog)).kind === "deny") assert.equal(kind, "deny");
      }),
      { numRuns: 500 },
    );
  });

  it("is not known to lack a parameter whose name may have been cut", () => {
    const condition = { purpose: "allow", parameter: "late", globs: ["*"] } as const;
    assert.equal(loggedQuery([["early", ""]], [], false)(condition), false);
    assert.equal(loggedQuery([["early", ""]], [], true)(condition), undefined);
  });
});
