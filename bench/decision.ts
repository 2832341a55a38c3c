/** The policy engine alone: what one verdict costs, and what compiling a policy costs. */
import { canonicalHost } from "../src/net/canonical-host.ts";
import { compilePolicy } from "../src/policy/compile.ts";
import { parsePolicy } from "../src/policy/parse.ts";
import type { Policy } from "../src/policy/policy.ts";
import type { Caller, CompiledPolicy, Destination, RequestFacts } from "../src/policy/verdict.ts";
import type { Row } from "./support/bench.ts";
import { type Contender, interleave } from "./support/interleave.ts";

/** A clock cannot see one decision; a sample is the mean of so many. */
const BATCH = 5_000;

const caller: Caller = { path: "/usr/bin/curl", ancestors: ["/usr/bin/bash", "/usr/bin/agent"] };
const request: RequestFacts = { method: "GET", path: "/v1/items/7", query: [["page", "2"]], hasEncodedSlash: false };

export const decision: Row = {
  name: "decision",
  title: "a decision of the policy engine",
  target: "microseconds",
  measure: ({ rounds }) =>
    interleave(
      [10, 1000].flatMap((rules) => contendersFor(rules)),
      { rounds, unit: "µs" },
    ),
};

function contendersFor(rules: number): Contender[] {
  const parsed = parsePolicy(policyText(rules));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const { policy } = parsed;
  const compiled = compilePolicy(policy, { version: 1, hash: "" });
  // Neither the first rule nor the last, so that no search order is favoured.
  const allowed = destination(`api-${rules / 2 + 1}.example.invalid`);
  const denied = destination("elsewhere.example.invalid");
  const verdict = compiled.connect(allowed, caller);
  if (verdict.kind !== "allow") throw new Error(`the bench's own policy denies: ${verdict.reason}`);
  const label = `${rules} rules: `;
  return [
    batch(`${label}connection allowed`, () => compiled.connect(allowed, caller)),
    batch(`${label}connection denied`, () => compiled.connect(denied, caller)),
    batch(`${label}request allowed`, () => compiled.request(verdict.endpoints, request)),
    compiling(`${label}policy compiled`, policy),
  ];
}

function batch(
  name: string,
  decide: () => ReturnType<CompiledPolicy["connect"] | CompiledPolicy["request"]>,
): Contender {
  return {
    name,
    once: async () => {
      let allowed = 0;
      const start = performance.now();
      for (let index = 0; index < BATCH; index += 1) if (decide().kind === "allow") allowed += 1;
      const microseconds = ((performance.now() - start) * 1000) / BATCH;
      // What is never looked at, a compiler may leave out.
      if (allowed !== 0 && allowed !== BATCH) throw new Error("the same question had two answers");
      return microseconds;
    },
  };
}

function compiling(name: string, policy: Policy): Contender {
  return {
    name,
    once: async () => {
      const start = performance.now();
      compilePolicy(policy, { version: 1, hash: "" });
      return (performance.now() - start) * 1000;
    },
  };
}

function destination(name: string): Destination {
  const result = canonicalHost(name);
  if (!result.ok) throw new Error(result.why);
  return { host: result.host, port: 443 };
}

/** Mostly exact hosts, some wildcards; each with path rules. */
function policyText(rules: number): string {
  const entries = Array.from({ length: rules }, (_, index) => {
    const host = index % 10 === 0 ? `*.zone-${index}.example.invalid` : `api-${index}.example.invalid`;
    const endpoint = {
      host,
      port: 443,
      protocol: "rest",
      rules: [{ allow: { method: "GET", path: "/v1/items/*" } }, { allow: { method: "POST", path: "/v1/search" } }],
      deny_rules: [{ method: "*", path: "/v1/admin/**" }],
    };
    return [`rule_${index}`, { endpoints: [endpoint], binaries: [{ path: "/usr/bin/curl" }, { path: "/usr/lib/**" }] }];
  });
  return JSON.stringify({ version: 1, network_policies: Object.fromEntries(entries) });
}
