import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { CanonicalHost } from "../../net/canonical-host.ts";
import { sandboxDevice } from "../../ocsf/objects/device.ts";
import { writeEvent, writeJsonl } from "../../ocsf/write-jsonl.ts";
import type { RequestVerdict } from "../../policy/verdict.ts";
import type { Intercepted } from "../egress/connection.ts";
import { AnsweredRequests } from "./answered-requests.ts";
import { type AnsweredExchange, requestAllowedEvent } from "./request-events.ts";

const names = { sandboxId: "s", sandboxName: "box", workspace: "default", instanceId: "i", hostname: "box" };
const reporter = { productVersion: "0.0.0", device: sandboxDevice(names) };
const number = { sequence: 7, uid: "s-7", previousHash: "0f" };

function connection(id: string): Intercepted {
  return {
    id,
    listener: "transparent",
    awaiting: "nothing",
    stream: new PassThrough(),
    client: { family: 4, local: { address: "10.0.2.1", port: 1 }, remote: { address: "198.18.0.1", port: 443 } },
    destination: { host: "api.invalid" as CanonicalHost, port: 443 },
    asked: "api.invalid",
    startedAt: 1,
  };
}

const verdicts = fc.constantFrom<RequestVerdict>(
  { kind: "allow", rule: "api", endpoint: { rule: "api", endpoint: {} as never } },
  { kind: "allow", rule: "other", endpoint: { rule: "other", endpoint: {} as never } },
  { kind: "deny", reason: "inspect.no_rule", auditOnly: true },
  { kind: "deny", reason: "inspect.deny_rule", rule: "api", auditOnly: true },
);
const text = fc.string({ unit: "binary", maxLength: 12 });
const facts = fc.record(
  {
    method: fc.constantFrom("GET", "POST", "PURGE"),
    path: text.map((rest) => `/${rest}`),
    query: fc.array(fc.tuple(text, text), { maxLength: 2 }),
    hasEncodedSlash: fc.boolean(),
    rpc: fc.constant([{ kind: "call", method: "tools/call", tool: "add" } as const]),
  },
  { requiredKeys: ["method", "path", "query", "hasEncodedSlash"] },
);
const exchanges: fc.Arbitrary<AnsweredExchange> = fc.record({
  request: fc.record({
    id: fc.uuid(),
    startedAt: fc.nat(1000),
    scheme: fc.constantFrom("http", "https"),
    version: fc.constantFrom("1.0", "1.1"),
    facts,
  }),
  verdict: verdicts,
  outcome: fc.record({ status: fc.integer({ min: 200, max: 599 }), bytesIn: fc.nat(), bytesOut: fc.nat() }),
});

describe("what is on record of the requests of a kept connection", () => {
  it("is for each of them what it would be for a single one", () => {
    const some = fc.array(fc.tuple(fc.constantFrom("a", "b"), exchanges, fc.nat(2000)), { maxLength: 12 });
    fc.assert(
      fc.property(some, (requests) => {
        const answered = new AnsweredRequests();
        const connections = { a: connection("a"), b: connection("b") };
        for (const [name, exchange, time] of requests) {
          const moment = { reporter, time };
          const got = answered.write(moment, connections[name as "a" | "b"], exchange);
          const want = writeEvent(requestAllowedEvent(moment, connections[name as "a" | "b"], exchange));
          assert.deepEqual(JSON.parse(writeJsonl(got, number)), JSON.parse(writeJsonl(want, number)));
          assert.deepEqual({ ...got, json: "" }, { ...want, json: "" });
        }
      }),
    );
  });
});
