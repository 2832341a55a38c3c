/**
 * From what programs tried to the smallest rules that would have let it pass. Everything that was tried was chosen inside
 * the sandbox, so that a rule names exactly one host and port, the programs that were seen, and for HTTP the methods and
 * paths; what it opens nevertheless is told by plain-words.ts and security-notes.ts, for a person to decide.
 */
import { parseIpAddress } from "../../net/address-class.ts";
import { ask, isAllowed, type Question } from "../ask.ts";
import { compilePolicy } from "../compile.ts";
import { isDecidedByRules } from "../explain.ts";
import { observedRule } from "../observe.ts";
import type { Policy } from "../policy.ts";
import { readPolicy } from "../read-policy.ts";
import type { ReasonCode } from "../reason-codes.ts";
import { type SuggestedEndpoint, smallestRule } from "../smallest-rule.ts";
import { treeFromJson } from "../tree.ts";
import type { Caller, CompiledPolicy, Destination, RequestFacts } from "../verdict.ts";
import type { JsonObject } from "../written-form.ts";
import { joinEndpoints } from "./join-endpoints.ts";

/** Something that a program tried, and that the policy's rules deny. */
export interface Attempt {
  readonly destination: Destination;
  readonly caller: Caller;
  readonly request?: RequestFacts;
  readonly reason: ReasonCode;
  /** The rule that is named in the log. */
  readonly rule?: string;
  /** It passed, since the sandbox was only observed. */
  readonly isObserved: boolean;
  /** Where the name led, if the address was what was refused. */
  readonly address?: string;
  /** The script that an interpreter ran, by its own account. */
  readonly script?: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

export interface LearnedRule {
  readonly key: string;
  /** As it is written under its key. */
  readonly rule: { readonly endpoints: readonly JsonObject[]; readonly binaries: readonly { readonly path: string }[] };
  /** What it is made from, and would let pass. */
  readonly attempts: readonly Attempt[];
}

export interface Learned {
  readonly rules: readonly LearnedRule[];
  /** What no rule can be proposed for: others decide it, or no added rule could let it pass. */
  readonly left: readonly Attempt[];
}

/** Takes attempts in any order; those that the policy allows by now are passed over. */
export function learnRules(policy: Policy, attempts: readonly Attempt[]): Learned {
  const compiled = compilePolicy(policy, { version: 0, hash: "" });
  const denied = attempts.filter((attempt) => isOpaque(attempt) || !isAllowed(ask(compiled, questionOf(attempt))));
  const left: Attempt[] = denied.filter((attempt) => !isLearnable(attempt));
  const groups = Map.groupBy(denied.filter(isLearnable), ({ destination: { host, port }, caller }) =>
    JSON.stringify([host, port, caller.path]),
  );
  const found = new Map<string, { endpoints: readonly JsonObject[]; attempts: Attempt[] }>();
  for (const group of groups.values()) {
    const endpoints = endpointsFor(group, compiled);
    if (endpoints.length === 0) left.push(...group);
    // Programs that need the very same share a rule; otherwise each would get what only the other one needs.
    else getOrAdd(found, JSON.stringify(endpoints), { endpoints, attempts: [] }).attempts.push(...group);
  }
  const rules: LearnedRule[] = [];
  const taken = new Set(policy.networkPolicies.keys());
  for (const { endpoints, attempts: made } of found.values()) {
    const binaries = Array.from(new Set(made.map(({ caller }) => caller.path)), (path) => ({ path }));
    const key = freeKey(`learned_${made[0]?.destination.host.replace(/[^a-z0-9]+/g, "_")}`, taken);
    const rule = { endpoints, binaries };
    const after = withRule(policy, key, rule);
    const helped = made.filter((attempt) => after !== undefined && isAllowed(ask(after, questionOf(attempt))));
    left.push(...made.filter((attempt) => !helped.includes(attempt)));
    if (helped.length === 0) continue;
    taken.add(key);
    rules.push({ key, rule, attempts: helped });
  }
  return { rules, left };
}

/** The policy with one rule more; undefined if no policy may have that rule. */
function withRule(policy: Policy, key: string, rule: LearnedRule["rule"]): CompiledPolicy | undefined {
  const read = readPolicy(treeFromJson({ version: 1, network_policies: { [key]: rule } }));
  if (!read.ok) return undefined;
  const networkPolicies = new Map([...policy.networkPolicies, ...read.policy.networkPolicies]);
  return compilePolicy({ ...policy, networkPolicies }, { version: 0, hash: "" });
}

/** TLS that the program let nobody open up, while it was only observed. */
function isOpaque({ reason, rule }: Attempt): boolean {
  return reason === "terminate.client_rejected" && rule === observedRule;
}

function isLearnable(attempt: Attempt): boolean {
  const { reason, request, address, caller } = attempt;
  // A name of a program that is a glob, too, would be more than that program.
  if (/\*/.test(caller.path)) return false;
  if (reason === "guard.private") return address !== undefined;
  const isSlash = reason === "inspect.ambiguous" && request?.hasEncodedSlash === true;
  return isDecidedByRules(reason) || isSlash || isOpaque(attempt);
}

function questionOf({ destination, caller, request, address: text = "" }: Attempt): Question {
  const address = parseIpAddress(text);
  return {
    destination,
    caller,
    ...(request === undefined ? {} : { request }),
    ...(address === undefined ? {} : { address }),
  };
}

/** The endpoints that one program needs at one destination. */
function endpointsFor(group: readonly Attempt[], policy: CompiledPolicy): JsonObject[] {
  const [first] = group;
  if (first === undefined) return [];
  const { host, port } = first.destination;
  const addresses = new Set(
    group.flatMap(({ reason, address }) => (reason === "guard.private" && address ? [address] : [])),
  );
  const more: JsonObject = addresses.size === 0 ? {} : { allowed_ips: Array.from(addresses).toSorted() };
  const withRequest = group.filter(({ request }) => request !== undefined);
  // Where nothing could be seen although everything was looked into, it is no HTTP, and nothing narrower can be said.
  const isUnseen = withRequest.length === 0 && group.some(({ isObserved }) => isObserved);
  if (isUnseen || group.some(isOpaque)) return [{ host, port, ...more }];
  // The connection itself is denied first; what was then asked on it says more.
  const asked = withRequest.length > 0 ? withRequest : group.slice(0, 1);
  const smallest = asked.flatMap((attempt): readonly SuggestedEndpoint[] => {
    const connect = policy.connect(attempt.destination, attempt.caller);
    // What may be asked on a connection that only its address is refused for, the rule that allows it says.
    if (attempt.reason === "guard.private" && connect.kind === "allow") return [{ host, port }];
    const endpoints = connect.kind === "allow" ? connect.endpoints.map(({ endpoint }) => endpoint) : [];
    return smallestRule(questionOf(attempt), endpoints)?.endpoints ?? [];
  });
  return joinEndpoints(smallest).map((endpoint) => ({ ...endpoint, ...more }));
}

function getOrAdd<V>(map: Map<string, V>, key: string, initial: V): V {
  const known = map.get(key) ?? initial;
  map.set(key, known);
  return known;
}

function freeKey(wanted: string, taken: ReadonlySet<string>): string {
  let key = wanted;
  for (let count = 2; taken.has(key); count++) key = `${wanted}_${count}`;
  return key;
}
