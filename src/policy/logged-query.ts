/**
 * A query as the audit log has it: the names of its parameters, and which conditions of rules held. Values are not kept,
 * since tokens travel in them. What the log does not tell is not known, and an answer that depends on it is none.
 */
import type { QueryTest } from "./query-conditions.ts";
import type { QueryCondition, QueryOracle, RequestFacts } from "./verdict.ts";

/** @param isCut whether the query had more parameters, or longer names, than are logged. */
export function loggedQuery(query: RequestFacts["query"], tests: readonly QueryTest[], isCut: boolean): QueryOracle {
  const known = new Map(tests.map((test) => [keyOf(test), test.holds]));
  const names = new Set(query.map(([name]) => name));
  return (condition) => {
    const tested = known.get(keyOf(condition));
    if (tested !== undefined) return tested;
    if (names.has(condition.parameter)) return condition.globs.includes("*") ? true : undefined;
    return isCut ? undefined : false;
  };
}

/** The same request if everything that is not known were in its favour. */
export function atBest(request: RequestFacts): RequestFacts {
  const { queryHolds } = request;
  if (queryHolds === undefined) return request;
  return { ...request, queryHolds: (condition) => queryHolds(condition) ?? condition.purpose === "allow" };
}

function keyOf({ purpose, parameter, globs }: QueryCondition): string {
  return JSON.stringify([purpose, parameter, globs]);
}
