/**
 * Query matchers: decoded parameter name → globs. A parameter that is named must be there. Where it repeats, origins
 * disagree about which value counts, so each direction takes the careful reading: to allow, every value must match; to
 * deny, one is enough. The same goes for `;`, which old servers take for a separator of parameters: both readings count.
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
      const given = valuesOf(query, name);
      const others = query.some(([key, value]) => `${key}${value}`.includes(";"))
        ? valuesOf(parted(query), name)
        : given;
      return purpose === "allow"
        ? [given, others].every((values) => values.length > 0 && values.every(matches))
        : [given, others].some((values) => values.some(matches));
    });
}

function valuesOf(query: RequestFacts["query"], name: string): string[] {
  return query.filter(([key]) => key === name).map(([, value]) => value);
}

/** The query as servers read it that part it at `;` as well. */
function parted(query: RequestFacts["query"]): RequestFacts["query"] {
  return query.flatMap(([name, value]) => {
    if (!name.includes(";") && !value.includes(";")) return [[name, value] as const];
    return `${name}=${value}`.split(";").map((parameter) => {
      const equals = parameter.indexOf("=");
      return equals === -1
        ? ([parameter, ""] as const)
        : ([parameter.slice(0, equals), parameter.slice(equals + 1)] as const);
    });
  });
}

/** A function that tells whether one of the globs matches. */
function compileAny(globs: readonly string[]): TextMatcher {
  const matchers = globs.map((glob) => compileGlob(glob, querySyntax));
  return (text) => matchers.some((matches) => matches(text));
}
