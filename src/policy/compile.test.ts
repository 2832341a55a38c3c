import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { CanonicalHost } from "../net/canonical-host.ts";
import { compilePolicy } from "./compile.ts";
import { readPolicy } from "./read-policy.ts";
import { arbitraryContents, type Contents, endpointsOfContents } from "./test-support/arbitrary-contents.ts";
import { arbitraryPolicy, loaded } from "./test-support/arbitrary-policy.ts";
import { referenceConnect, referenceRequest } from "./test-support/reference-evaluator.ts";
import { treeFromJson } from "./tree.ts";
import type { Caller, CompiledPolicy, Destination, MatchedEndpoint, RequestFacts } from "./verdict.ts";

const destination: fc.Arbitrary<Destination> = fc.record({
  host: fc.constantFrom(
    "api.example.invalid",
    "x.example.invalid",
    "a.b.invalid.invalid",
    "10.0.0.5",
    "other.invalid",
  ) as fc.Arbitrary<CanonicalHost>,
  port: fc.constantFrom(80, 443, 22),
});
const caller: fc.Arbitrary<Caller> = fc.record({
  path: fc.constantFrom("/usr/bin/curl", "/usr/bin/deep/x", "/opt/a/b", "/sandbox/tool"),
  ancestors: fc.array(fc.constantFrom("/usr/bin/agent", "/bin/sh", "/opt/x"), { maxLength: 2 }),
});
const request: fc.Arbitrary<RequestFacts> = fc.record({
  method: fc.constantFrom("GET", "HEAD", "POST", "POST", "POST", "PUT", "DELETE", "OPTIONS"),
  path: fc.constantFrom(
    "/",
    "/a/b",
    "/a/c",
    "/b/x",
    "/a/b/c",
    "/a;x/b",
    "/%C3%A9%20b/x",
    "/A/b",
    "/a/b/",
    "/A/B;/",
    "/B/X",
  ),
  query: fc.array(fc.tuple(fc.constantFrom("q", "tag", "Tag", "q[]"), fc.constantFrom("v1", "v2", "xx")), {
    maxLength: 3,
  }),
  hasEncodedSlash: fc.constant(false),
});
const slashed = request.map((facts) => ({ ...facts, path: "/a%2Fb", hasEncodedSlash: true }));

/** Asks, and tells what it wants to know, as the inspectors would. */
function decide(
  compiled: CompiledPolicy,
  endpoints: readonly MatchedEndpoint[],
  { facts, contents }: { facts: RequestFacts; contents: Contents },
): "allow" | "deny" {
  const verdict = compiled.request(endpoints, facts);
  if (verdict.kind !== "needs-body") return verdict.kind;
  if (verdict.language === "graphql") {
    const { graphql } = contents;
    return graphql === undefined ? "deny" : decide(compiled, endpoints, { facts: { ...facts, graphql }, contents });
  }
  const rpc = facts.method === "POST" ? contents.rpc : [];
  return rpc === undefined ? "deny" : decide(compiled, endpoints, { facts: { ...facts, rpc }, contents });
}

describe("a compiled policy", () => {
  it("answers what the page says, for any policy and question", () => {
    fc.assert(
      fc.property(
        arbitraryPolicy,
        destination,
        caller,
        fc.oneof({ weight: 4, arbitrary: request }, slashed),
        arbitraryContents,
        (policy, to, by, facts, contents) => {
          const compiled = compilePolicy(policy, { version: 1, hash: "" });
          const connect = compiled.connect(to, by);
          assert.equal(connect.kind, referenceConnect(policy, to, by));
          if (connect.kind === "deny" || !connect.inspected) return;
          const question = { destination: to, caller: by, request: facts, contents };
          const decided = decide(compiled, connect.endpoints, { facts, contents });
          assert.equal(decided, referenceRequest(policy, question));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("answers what the page says of contents, where several endpoints read them", () => {
    const host = fc.constant("api.example.invalid" as CanonicalHost);
    const endpoint = endpointsOfContents({ host, ports: fc.constant([443]) });
    const posted = request.map((facts) => ({ ...facts, path: "/a/b", method: "POST" }));
    fc.assert(
      fc.property(
        fc.array(endpoint, { minLength: 1, maxLength: 2 }),
        posted,
        arbitraryContents,
        (written, facts, contents) => {
          const rule = { endpoints: written, binaries: [{ path: "any" }] };
          const policy = loaded(readPolicy(treeFromJson({ version: 1, network_policies: { rule } })));
          const compiled = compilePolicy(policy, { version: 1, hash: "" });
          const [to, by] = [
            { host: "api.example.invalid" as CanonicalHost, port: 443 },
            { path: "/x", ancestors: [] },
          ];
          const connect = compiled.connect(to, by);
          if (connect.kind === "deny") return;
          const question = { destination: to, caller: by, request: facts, contents };
          const decided = decide(compiled, connect.endpoints, { facts, contents });
          assert.equal(decided, referenceRequest(policy, question));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("logs the rule whose name sorts first, however the rules are ordered", () => {
    fc.assert(
      fc.property(arbitraryPolicy, destination, caller, (policy, to, by) => {
        const connect = compilePolicy(policy, { version: 1, hash: "" }).connect(to, by);
        if (connect.kind === "deny") return;
        const names = connect.endpoints.map(({ rule }) => rule);
        assert.equal(connect.rule, names.toSorted()[0]);
      }),
    );
  });

  it("decides the requests of a connection that an older revision allowed", () => {
    fc.assert(
      fc.property(arbitraryPolicy, arbitraryPolicy, destination, caller, request, (before, after, to, by, facts) => {
        const old = compilePolicy(before, { version: 1, hash: "" });
        const connect = old.connect(to, by);
        if (connect.kind === "deny") return;
        const fresh = compilePolicy(after, { version: 2, hash: "" });
        assert.deepEqual(fresh.request(connect.endpoints, facts), old.request(connect.endpoints, facts));
      }),
    );
  });
});
