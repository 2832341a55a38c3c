import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { describe, it } from "node:test";
import type { Endpoint } from "../../policy/policy.ts";
import type { CompiledPolicy } from "../../policy/verdict.ts";
import type { Guarded } from "./connection.ts";
import { LiveConnections } from "./live-connections.ts";
import { plainEndpoint, type TestPolicy, testPolicy, upstreamHost } from "./test-support/loopback-world.ts";

/** An open connection to 10.0.0.1, or to where a proxy thinks that the name leads, allowed by the endpoint. */
function openTo(
  endpoint: Endpoint,
  addresses: Guarded["addresses"] = [{ family: 4, text: "10.0.0.1" }],
): { live: LiveConnections; stream: Duplex; signal: AbortSignal } {
  const end = { address: "127.0.0.1", port: 1 };
  const stream = new Duplex();
  const guarded: Guarded = {
    id: "id",
    listener: "transparent",
    awaiting: "nothing",
    stream,
    client: { family: 4, local: end, remote: end },
    destination: { host: upstreamHost, port: 443 },
    asked: "upstream.invalid",
    startedAt: 0,
    holders: [{ pid: 1, path: "/a", sha256: "", ancestors: [], commandLine: [] }],
    rule: "test",
    endpoints: [{ rule: "test", endpoint }],
    inspected: endpoint.protocol !== undefined,
    revision: 1,
    addresses,
  };
  const live = new LiveConnections(1);
  const entry = live.enter(guarded);
  entry.reached = guarded;
  return { live, stream, signal: entry.signal };
}

describe("a policy that is set while a connection is open", () => {
  const exact = plainEndpoint();
  const cases: readonly (readonly [name: string, policy: TestPolicy | undefined, cut: boolean])[] = [
    ["keeps what it allows", { endpoint: exact }, false],
    ["cuts what it denies", { connect: () => ({ kind: "deny", reason: "decide.implicit_deny" }) }, true],
    ["cuts what it would inspect", { endpoint: plainEndpoint({ protocol: "rest" }) }, true],
    [
      "cuts what leads to an address that it no longer permits",
      { endpoint: plainEndpoint({ host: "*.invalid" }) },
      true,
    ],
    ["cuts everything if it could not be loaded", undefined, true],
  ];
  for (const [name, policy, cut] of cases) {
    it(name, () => {
      const { live, stream, signal } = openTo(exact);
      const compiled: CompiledPolicy | undefined = policy && testPolicy(policy);
      live.recheck(compiled);
      assert.equal(stream.destroyed, cut);
      assert.equal(signal.aborted, cut);
    });
  }
});

describe("a connection whose name a proxy has looked up", () => {
  for (const [host, cut] of [
    [upstreamHost, false],
    ["*.invalid", true],
  ] as const) {
    it(`is ${cut ? "cut" : "kept"} when the policy comes to say ${host}`, () => {
      const { live, signal } = openTo(plainEndpoint(), []);
      live.recheck(testPolicy({ endpoint: plainEndpoint({ host }) }));
      assert.equal(signal.aborted, cut);
    });
  }
});

describe("the connections of a sandbox", () => {
  it("are counted, and end with it", () => {
    const { live, stream, signal } = openTo(plainEndpoint());
    assert.ok(live.full);
    live.cutAll();
    assert.ok(stream.destroyed && signal.aborted);
  });
});
