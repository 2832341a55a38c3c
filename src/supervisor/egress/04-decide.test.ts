import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { describe, it } from "node:test";
import type { Endpoint } from "../../policy/policy.ts";
import type { CompiledPolicy, ConnectVerdict } from "../../policy/verdict.ts";
import { decide } from "./04-decide.ts";
import type { Identified } from "./connection.ts";
import { plainEndpoint, testPolicy, upstreamHost } from "./test-support/loopback-world.ts";

/** A connection that the programs share. */
function heldBy(...paths: readonly string[]): Identified {
  const end = { address: "127.0.0.1", port: 1 };
  return {
    id: "id",
    listener: "transparent",
    awaiting: "nothing",
    stream: new Duplex(),
    client: { family: 4, local: end, remote: end },
    destination: { host: upstreamHost, port: 443 },
    asked: "upstream.invalid",
    startedAt: 0,
    holders: paths.map((path, pid) => ({ pid, path, sha256: "", ancestors: [], commandLine: [] })),
  };
}

/** Allows each program by its endpoints, and others not at all. */
function policyFor(endpoints: Readonly<Record<string, readonly Endpoint[]>>): CompiledPolicy {
  const connect: CompiledPolicy["connect"] = (_, { path }): ConnectVerdict => {
    const matched = endpoints[path]?.map((endpoint) => ({ rule: `rule of ${path}`, endpoint }));
    if (matched === undefined) return { kind: "deny", reason: "decide.binary_not_allowed", rule: "nearest" };
    return { kind: "allow", rule: `rule of ${path}`, endpoints: matched, inspected: false };
  };
  return { ...testPolicy({}), connect };
}

describe("a binary asks for a destination", () => {
  const endpoint = plainEndpoint();

  it("is allowed with the endpoints and the revision that it was allowed by", () => {
    const decided = decide(heldBy("/a"), policyFor({ "/a": [endpoint] }));
    assert.ok(!("refused" in decided));
    assert.deepEqual(decided.endpoints, [{ rule: "rule of /a", endpoint }]);
    assert.equal(decided.rule, "rule of /a");
    assert.equal(decided.revision, 1);
  });

  it("is refused when a second process holding the socket is not allowed", () => {
    const refused = decide(heldBy("/a", "/b"), policyFor({ "/a": [endpoint] }));
    assert.deepEqual(refused, {
      refused: "decide.binary_not_allowed",
      detail: "/b may not connect to upstream.invalid:443",
      rule: "nearest",
    });
  });

  it("is allowed with what several holders have in common", () => {
    const other = plainEndpoint();
    const decided = decide(heldBy("/a", "/b"), policyFor({ "/a": [other, endpoint], "/b": [endpoint] }));
    assert.ok(!("refused" in decided));
    assert.deepEqual(
      decided.endpoints.map((matched) => matched.endpoint),
      [endpoint],
    );
  });

  it("is refused when several holders have nothing in common", () => {
    const decided = decide(heldBy("/a", "/b"), policyFor({ "/a": [endpoint], "/b": [plainEndpoint()] }));
    assert.ok("refused" in decided && decided.refused === "decide.binary_not_allowed");
  });

  it("is refused when a deny rule would be passed over by leaving an endpoint out", () => {
    const denying = plainEndpoint({ denyRules: [{ method: "DELETE" }] });
    const decided = decide(heldBy("/a", "/b"), policyFor({ "/a": [endpoint, denying], "/b": [endpoint] }));
    assert.ok("refused" in decided && decided.refused === "decide.binary_not_allowed");
  });

  it("is refused when nobody holds the socket", () => {
    assert.ok("refused" in decide(heldBy(), policyFor({ "/a": [endpoint] })));
  });

  it("is refused without a policy", () => {
    const decided = decide(heldBy("/a"), undefined);
    assert.ok("refused" in decided && decided.refused === "decide.no_policy");
  });
});
