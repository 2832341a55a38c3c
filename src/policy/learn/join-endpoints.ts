/** Endpoints that were each made for one request → one for each protocol, with the rules of all. */
import { canonicalText } from "../hash.ts";
import type { SuggestedEndpoint, SuggestedMatcher } from "../smallest-rule.ts";
import type { JsonObject } from "../written-form.ts";
import { generalisePaths } from "./generalise-paths.ts";

/** Takes endpoints of one host and port. */
export function joinEndpoints(endpoints: readonly SuggestedEndpoint[]): JsonObject[] {
  // Without its rules, an endpoint says where and how is looked into; those that agree in it become one.
  const groups = Map.groupBy(endpoints, ({ rules: _, ...rest }) => canonicalText(rest));
  return Array.from(groups.values(), (group) => {
    const [{ rules: _, ...rest } = {}] = group;
    const matchers = group.flatMap(({ rules = [] }) => rules.map(({ allow }) => allow));
    if (matchers.length === 0) return { ...rest };
    return { ...rest, rules: joinMatchers(matchers).map((allow) => ({ allow })) };
  });
}

function joinMatchers(matchers: readonly SuggestedMatcher[]): SuggestedMatcher[] {
  const paths = new Map<string, string[]>();
  const others = new Map<string, SuggestedMatcher>();
  for (const matcher of matchers) {
    if (!("path" in matcher) || matcher.query !== undefined) others.set(canonicalText(matcher), matcher);
    // RFC 9110 section 9.3.2: HEAD is GET without the body, and a rule for GET covers it.
    else add(paths, matcher.method === "HEAD" ? "GET" : matcher.method, matcher.path);
  }
  const byMethod = Array.from(paths, ([method, asked]) => generalisePaths(asked).map((path) => ({ method, path })));
  return [...byMethod.flat(), ...others.values()];
}

function add(map: Map<string, string[]>, key: string, value: string): void {
  map.set(key, [...(map.get(key) ?? []), value]);
}
