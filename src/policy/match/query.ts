/**
 * Query matchers: decoded parameter name → globs. A parameter that is named must be there. Where it repeats, origins
 * disagree about which value counts, so each direction takes the careful reading: to allow, every value must match; to
 * deny, one is enough.
 */
import type { QueryOracle, RequestFacts } from "../verdict.ts";
import { compileGlob, type TextMatcher } from "./glob.ts";

export const querySyntax = { classes: true } as const;

/** With an oracle, that is asked instead of the values; what it does not know counts against the request. */
export type QueryMatcher = (query: RequestFacts["query"], oracle?: QueryOracle) => boolean;

/** `purpose` is what a match leads to. */
export function compileQuery(
  parameters: ReadonlyMap<string, readonly string[]>,
  purpose: "allow" | "deny",
): QueryMatcher {
  const conditions = Array.from(parameters, ([name, globs]) => ({ name, globs, matches: compileAny(globs) }));
  return (query, oracle) =>
    conditions.every(({ name, globs, matches }) => {
      if (oracle !== undefined) return oracle({ purpose, parameter: name, globs }) ?? purpose === "deny";
      const values = query.filter(([key]) => key === name);
      if (values.length === 0) return false;
      return purpose === "allow"
        ? values.every(([, value]) => matches(value))
        : values.some(([, value]) => matches(value));
    });
}

/** A function that tells whether one of the globs matches. */
function compileAny(globs: readonly string[]): TextMatcher {
  const matchers = globs.map((glob) => compileGlob(glob, querySyntax));
  return (text) => matchers.some((matches) => matches(text));
}
