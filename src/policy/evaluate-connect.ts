/**
 * Layer 4: may this program open a connection to this destination? Rules are kept by exact host, by port for patterns
 * and for hostless endpoints, so that a decision looks at the few rules that can matter and not at all of them.
 */
import type { CanonicalHost } from "../net/canonical-host.ts";
import { deniesEverything, isInspected } from "./compile-endpoint.ts";
import { type CallerMatcher, compileBinaries } from "./match/binary.ts";
import { compileHost, isExactHost } from "./match/host.ts";
import type { NetworkRule, Policy } from "./policy.ts";
import type { Caller, ConnectVerdict, Destination, MatchedEndpoint } from "./verdict.ts";

/** One endpoint of one rule. */
interface Entry {
  readonly matched: MatchedEndpoint;
  readonly ports: readonly number[];
  readonly callerMatches: CallerMatcher;
  readonly inspected: boolean;
  readonly deniesEverything: boolean;
}

interface PatternEntry extends Entry {
  readonly hostMatches: (host: CanonicalHost) => boolean;
}

export interface ConnectIndex {
  readonly exact: ReadonlyMap<string, readonly Entry[]>;
  /** By port: patterns, and endpoints without a host. */
  readonly patterns: ReadonlyMap<number, readonly PatternEntry[]>;
}

const anyHost = (): boolean => true;

/** Builds the index. Entries are in the order of their rules' names, so that the first match is the one to log. */
export function indexPolicy(policy: Policy): ConnectIndex {
  const exact = new Map<string, Entry[]>();
  const patterns = new Map<number, PatternEntry[]>();
  const rules = Array.from(policy.networkPolicies.values()).toSorted(byName);
  for (const rule of rules) {
    const callerMatches = compileBinaries(rule.binaries);
    for (const endpoint of rule.endpoints) {
      const entry: Entry = {
        matched: { rule: rule.name, endpoint },
        ports: endpoint.ports,
        callerMatches,
        inspected: isInspected(endpoint.protocol),
        deniesEverything: deniesEverything(endpoint) && endpoint.enforcement === "enforce",
      };
      if (endpoint.host !== undefined && isExactHost(endpoint.host)) {
        appendTo(exact, endpoint.host, entry);
        continue;
      }
      const hostMatches = endpoint.host === undefined ? anyHost : compileHost(endpoint.host);
      for (const port of new Set(endpoint.ports)) appendTo(patterns, port, { ...entry, hostMatches });
    }
  }
  return { exact, patterns };
}

/** By code unit, not by locale: the same policy must log the same rule on every machine. */
function byName(a: NetworkRule, b: NetworkRule): number {
  if (a.name === b.name) return 0;
  return a.name < b.name ? -1 : 1;
}

function appendTo<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** Decides one connection. A denial names the rule that denied it or, for another program's rule, came nearest. */
export function evaluateConnect(index: ConnectIndex, destination: Destination, caller: Caller): ConnectVerdict {
  const named = entriesFor(index, destination);
  const [nearest] = named;
  if (nearest === undefined) return { kind: "deny", reason: "decide.implicit_deny" };
  const matching = named.filter((entry) => entry.callerMatches(caller));
  if (matching.length === 0) return { kind: "deny", reason: "decide.binary_not_allowed", rule: firstRule(named) };
  // Every request on such a connection would be denied; there is no reason to open it.
  const denying = matching.find((entry) => entry.deniesEverything);
  if (denying !== undefined) return { kind: "deny", reason: "decide.explicit_deny", rule: denying.matched.rule };
  return {
    kind: "allow",
    rule: firstRule(matching),
    endpoints: matching.map((entry) => entry.matched),
    inspected: matching.some((entry) => entry.inspected),
  };
}

/** Entries that name the destination, whoever asks. */
function entriesFor(index: ConnectIndex, { host, port }: Destination): Entry[] {
  const found: Entry[] = [];
  for (const entry of index.exact.get(host) ?? []) if (entry.ports.includes(port)) found.push(entry);
  for (const entry of index.patterns.get(port) ?? []) if (entry.hostMatches(host)) found.push(entry);
  return found;
}

/** The name that sorts first; the entries are sorted, but those by host and those by pattern apart. */
function firstRule(entries: readonly Entry[]): string {
  let first = entries[0]?.matched.rule ?? "";
  for (const { matched } of entries) if (matched.rule < first) first = matched.rule;
  return first;
}
