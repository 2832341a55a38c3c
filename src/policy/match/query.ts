/**
 * Query matchers: decoded parameter name → globs. A parameter that is named must be there. Where it repeats, origins
 * disagree about which value counts, so each direction takes the careful reading: to allow, every value must match; to
 * deny, one is enough. The same goes for names and separators that servers read differently (net/query-readings.ts): what
 * denies holds for every reading, and what allows is not led by a value that only some servers see.
 */
import { everyParameter, mayBeNamed, partedAtSemicolons } from "../../net/query-readings.ts";
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
  return (query, oracle) => {
    if (oracle !== undefined) {
      return conditions.every(({ name, globs }) => oracle({ purpose, parameter: name, globs }) ?? purpose === "deny");
    }
    const parted = partedAtSemicolons(query);
    const every = everyParameter(query);
    return conditions.every(({ name, matches }) => {
      const values = every.filter(([written]) => mayBeNamed(written, name)).map(([, value]) => value);
      if (purpose === "deny") return values.some(matches);
      return has(query, name) && has(parted, name) && values.every(matches);
    });
  };
}

function has(query: RequestFacts["query"], name: string): boolean {
  return query.some(([written]) => written === name);
}

/** A function that tells whether one of the globs matches. */
function compileAny(globs: readonly string[]): TextMatcher {
  const matchers = globs.map((glob) => compileGlob(glob, querySyntax));
  return (text) => matchers.some((matches) => matches(text));
}
