/**
 * What rules ask of a request's query, condition by condition: for the audit log, which must tell what decided without
 * telling the values, and for explanations made from it.
 */
import { compileEndpoint } from "./compile-endpoint.ts";
import { compileQuery } from "./match/query.ts";
import type { Endpoint, RequestMatcher } from "./policy.ts";
import type { QueryCondition, RequestFacts } from "./verdict.ts";

/** A condition, and whether it holds for a request. */
export interface QueryTest extends QueryCondition {
  readonly holds: boolean;
}

/** For each rule of the endpoint that is about the request but for its query: its conditions. */
export function queryTests(endpoint: Endpoint, request: RequestFacts): QueryTest[][] {
  const withQuery = hasQuery(endpoint.rules) || hasQuery(endpoint.denyRules);
  if (!withQuery) return [];
  const { selects, concerns } = compileEndpoint(endpoint);
  const rules = selects(request.path) ? (endpoint.rules ?? []) : [];
  const denyRules = concerns(request.path) ? endpoint.denyRules : [];
  return [
    ...rules.flatMap((rule) => testsOf(endpoint, rule, "allow", request)),
    ...denyRules.flatMap((rule) => testsOf(endpoint, rule, "deny", request)),
  ];
}

/** Of the allow rules that only the query keeps from holding, the one of whose conditions the fewest fail. */
export function nearestQueryRule(endpoint: Endpoint, request: RequestFacts): readonly QueryTest[] | undefined {
  const rules = queryTests(endpoint, request).filter(([first]) => first?.purpose === "allow");
  const failing = (tests: readonly QueryTest[]) => tests.filter(({ holds }) => !holds).length;
  return rules.toSorted((one, other) => failing(one) - failing(other))[0];
}

function hasQuery(rules: readonly RequestMatcher[] = []): boolean {
  return rules.some(({ query }) => query !== undefined);
}

function testsOf(
  endpoint: Endpoint,
  { query, ...rest }: RequestMatcher,
  purpose: QueryCondition["purpose"],
  request: RequestFacts,
): QueryTest[][] {
  if (query === undefined || query.size === 0 || !applies(endpoint, rest, purpose, request)) return [];
  const tests = Array.from(query, ([parameter, globs]) => {
    const holds = compileQuery(new Map([[parameter, globs]]), purpose)(request.query, request.queryHolds);
    return { purpose, parameter, globs, holds };
  });
  return [tests];
}

function applies(
  { access: _, rules: __, ...endpoint }: Endpoint,
  rule: RequestMatcher,
  purpose: QueryCondition["purpose"],
  request: RequestFacts,
): boolean {
  const alone = compileEndpoint(
    purpose === "allow" ? { ...endpoint, rules: [rule], denyRules: [] } : { ...endpoint, denyRules: [rule] },
  );
  return purpose === "allow" ? alone.allows(request) : alone.denies(request);
}
