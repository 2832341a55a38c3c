/**
 * Why a question gets the answer it gets: the rule that came nearest, which of its conditions held, and the smallest
 * YAML that would allow it. The verdict itself comes from the compiled policy, so an explanation can't disagree with it.
 */
import type { CanonicalHost } from "../net/canonical-host.ts";
import { type Answer, ask, isAllowed, type Question } from "./ask.ts";
import { compilePolicy } from "./compile.ts";
import { compileEndpoint, deniesEverything, isInspected } from "./compile-endpoint.ts";
import { compileBinaries } from "./match/binary.ts";
import { compileHost } from "./match/host.ts";
import { namedOperations } from "./operations.ts";
import type { Endpoint, NetworkRule, Policy } from "./policy.ts";
import { nearestQueryRule, type QueryTest } from "./query-conditions.ts";
import { readPolicy } from "./read-policy.ts";
import type { ReasonCode } from "./reason-codes.ts";
import { type Suggestion, smallestRule } from "./smallest-rule.ts";
import { type Json, treeFromJson } from "./tree.ts";
import type { CompiledPolicy, RequestFacts } from "./verdict.ts";
import { writtenMatcher } from "./written-form.ts";

export interface Condition {
  readonly what: "host" | "port" | "binary" | "path" | "request" | "query";
  readonly holds: boolean;
  /** What the rule asks for, as it is written. */
  readonly wanted: string;
  /** What was asked. */
  readonly got: string;
}

export interface NearestRule {
  readonly key: string;
  readonly name: string;
  readonly conditions: readonly Condition[];
}

export interface Explanation extends Answer {
  /** The rule most of whose conditions hold; absent if there are no rules. */
  readonly nearest?: NearestRule;
  /**
   * The deny rules that hold, as written, with the key of their rule. They must go, or be narrowed: no added rule can
   * allow what is denied.
   */
  readonly denying: readonly { readonly key: string; readonly rule: Json }[];
  /**
   * The smallest rule that would allow it, to be merged into the policy. Absent if it is allowed, if a deny rule holds,
   * and where no rule could allow exactly this.
   */
  readonly suggestion?: Suggestion;
}

const ruleReasons: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  "decide.implicit_deny",
  "decide.binary_not_allowed",
  "decide.explicit_deny",
  "guard.private",
  "inspect.no_rule",
  "inspect.deny_rule",
  "inspect.upgrade",
]);

/** Whether the policy's rules refused, so that `explain` can tell about it; the others are mended elsewhere. */
export function isDecidedByRules(reason: ReasonCode): boolean {
  return ruleReasons.has(reason);
}

/** Explains one question, as it is decided by this policy. */
export function explain(policy: Policy, question: Question): Explanation {
  const verdict = ask(ready(policy), question);
  const nearest = nearestRule(policy, question);
  const denying = denyingRules(policy, question);
  const suggestion = isAllowed(verdict) || denying.length > 0 ? undefined : suggest(policy, question, verdict);
  return {
    ...verdict,
    ...(nearest === undefined ? {} : { nearest }),
    denying,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

function ready(policy: Policy): CompiledPolicy {
  return compilePolicy(policy, { version: 0, hash: "" });
}

/** How much each condition says about what the author had in mind: who names the host means this destination. */
const weights: Readonly<Record<Condition["what"], number>> = {
  host: 16,
  port: 8,
  binary: 4,
  path: 2,
  request: 1,
  query: 0,
};

function nearestRule(policy: Policy, question: Question): NearestRule | undefined {
  let best: { readonly rule: NearestRule; readonly score: number } | undefined;
  for (const rule of policy.networkPolicies.values()) {
    for (const endpoint of rule.endpoints) {
      const conditions = conditionsOf(rule, endpoint, question);
      const score = conditions.reduce((sum, { what, holds }) => sum + (holds ? weights[what] : 0), 0);
      if (score > (best?.score ?? -1)) best = { rule: { key: rule.key, name: rule.name, conditions }, score };
    }
  }
  return best?.rule;
}

function conditionsOf(rule: NetworkRule, endpoint: Endpoint, question: Question): Condition[] {
  const { destination, caller, request } = question;
  const conditions: Condition[] = [
    {
      what: "host",
      holds: hostHolds(endpoint, destination.host),
      wanted: endpoint.host ?? `any host at ${endpoint.allowedIps.join(", ")}`,
      got: destination.host,
    },
    {
      what: "port",
      holds: endpoint.ports.includes(destination.port),
      wanted: endpoint.ports.join(", "),
      got: String(destination.port),
    },
    {
      what: "binary",
      holds: compileBinaries(rule.binaries)(caller),
      wanted: rule.binaries.join(", "),
      got: [caller.path, ...caller.ancestors].join(" < "),
    },
  ];
  if (request === undefined || !isInspected(endpoint.protocol)) return conditions;
  return [...conditions, ...requestConditions(endpoint, request)];
}

function requestConditions(endpoint: Endpoint, request: RequestFacts): Condition[] {
  const compiled = compileEndpoint(endpoint);
  const { method, path } = request;
  const operations = namedOperations(request);
  return [
    { what: "path", holds: compiled.selects(path), wanted: endpoint.path === "" ? "**" : endpoint.path, got: path },
    {
      what: "request",
      holds: compiled.allows(request) && !compiled.denies(request),
      wanted: endpoint.access ?? JSON.stringify((endpoint.rules ?? []).map(writtenMatcher)),
      got: operations === "" ? `${method} ${path}` : operations,
    },
    ...(nearestQueryRule(endpoint, request) ?? []).map((test) => queryCondition(test, request)),
  ];
}

function queryCondition(test: QueryTest, request: RequestFacts): Condition {
  const { parameter, globs, holds } = test;
  return { what: "query", holds, wanted: `${parameter}=${globs.join(" or ")}`, got: valueInWords(test, request) };
}

function valueInWords(test: QueryTest, { query, queryHolds }: RequestFacts): string {
  const { parameter } = test;
  const values = query.filter(([name]) => name === parameter).map(([, value]) => value);
  if (values.length === 0) return `no ${parameter}`;
  if (queryHolds === undefined) return values.map((value) => `${parameter}=${value}`).join(", ");
  const held = queryHolds(test);
  if (held === undefined) return "a value that is not kept";
  return `a value that ${held ? "matches" : "does not match"} (values are not kept)`;
}

function hostHolds(endpoint: Endpoint, host: CanonicalHost): boolean {
  return endpoint.host === undefined || compileHost(endpoint.host)(host);
}

/** Each deny rule of a matching endpoint, asked alone. */
function denyingRules(policy: Policy, question: Question): { key: string; rule: Json }[] {
  const { destination, caller, request } = question;
  return Array.from(policy.networkPolicies.values()).flatMap((rule) => {
    if (!compileBinaries(rule.binaries)(caller)) return [];
    const endpoints = rule.endpoints.filter(
      (endpoint) => hostHolds(endpoint, destination.host) && endpoint.ports.includes(destination.port),
    );
    return endpoints.flatMap((endpoint) =>
      endpoint.denyRules
        .filter((denyRule) => deniesAlone({ ...endpoint, denyRules: [denyRule] }, request))
        .map((denyRule) => ({ key: rule.key, rule: writtenMatcher(denyRule) })),
    );
  });
}

function deniesAlone(endpoint: Endpoint, request: RequestFacts | undefined): boolean {
  if (endpoint.enforcement === "audit") return false;
  if (request === undefined) return deniesEverything(endpoint);
  const compiled = compileEndpoint(endpoint);
  return compiled.concerns(request.path) && compiled.denies(request);
}

/** The rule to add, if adding it is found to help: some requests no rule can allow. */
function suggest(policy: Policy, question: Question, { connect }: Answer): Suggestion | undefined {
  const asked = connect.kind === "allow" ? connect.endpoints.map(({ endpoint }) => endpoint) : [];
  const rule = smallestRule(question, asked);
  if (rule === undefined) return undefined;
  const key = freeKey(policy, `allow_${question.destination.host.replace(/[^a-z0-9]+/g, "_")}`);
  const suggestion = { network_policies: { [key]: rule } };
  const read = readPolicy(treeFromJson({ version: 1, ...suggestion }));
  if (!read.ok) return undefined;
  const networkPolicies = new Map([...policy.networkPolicies, ...read.policy.networkPolicies]);
  return isAllowed(ask(ready({ ...policy, networkPolicies }), question)) ? suggestion : undefined;
}

function freeKey(policy: Policy, wanted: string): string {
  let key = wanted;
  for (let count = 2; policy.networkPolicies.has(key); count++) key = `${wanted}_${count}`;
  return key;
}
