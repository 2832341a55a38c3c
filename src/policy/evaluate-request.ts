/**
 * Layer 7: one request on an inspected connection. Explicit deny beats allow beats implicit deny, across all endpoints
 * that the connection was allowed by.
 */
import type { CompiledEndpoint } from "./compile-endpoint.ts";
import type { Endpoint } from "./policy.ts";
import type { ReasonCode } from "./reason-codes.ts";
import type { ContentNeed, MatchedEndpoint, NeedsBody, RequestFacts, RequestVerdict } from "./verdict.ts";
import { websocketText } from "./websocket-text.ts";

interface Candidate {
  readonly matched: MatchedEndpoint;
  readonly compiled: CompiledEndpoint;
}

/** Decides a request. `compiledFor` gives the compiled form of an endpoint. */
export function evaluateRequest(
  endpoints: readonly MatchedEndpoint[],
  request: RequestFacts,
  compiledFor: (endpoint: Endpoint) => CompiledEndpoint,
): RequestVerdict | NeedsBody {
  const inspected = inspectedEndpoints(endpoints, compiledFor);
  const concerned = inspected.filter(({ compiled }) => compiled.concerns(request.path));
  const candidates = concerned.filter(({ compiled }) => compiled.selects(request.path));
  const denying = concerned.filter(({ compiled }) => compiled.denies(request));
  const auditOnly = isAuditOnly(concerned);
  // What is denied by its head is denied without a look at the rest.
  const need = denying.length > 0 && !isAuditOnly(denying) ? undefined : firstNeed(candidates, request);
  if (need !== undefined) return { ...need, kind: "needs-body", auditOnly };
  const judges = concerned.filter(({ compiled }) => compiled.authoritative);
  const allowing = findAllowing(candidates, judges, request);
  const [firstDenying] = denying;
  if (firstDenying !== undefined) {
    // In `audit` a deny rule is only tried out, so the request passes if it would have passed without that rule.
    const passes = isAuditOnly(denying) && (allowing !== undefined || auditOnly);
    return { kind: "deny", reason: "inspect.deny_rule", rule: firstDenying.matched.rule, auditOnly: passes };
  }
  if (allowing !== undefined) return { kind: "allow", rule: allowing.matched.rule, endpoint: allowing.matched };
  const nearest = judges[0] ?? candidates[0] ?? inspected[0];
  return {
    kind: "deny",
    reason: whyNot(candidates, request),
    ...(nearest === undefined ? {} : { rule: nearest.matched.rule }),
    auditOnly: concerned.length > 0 ? auditOnly : isAuditOnly(inspected),
  };
}

function inspectedEndpoints(
  endpoints: readonly MatchedEndpoint[],
  compiledFor: (endpoint: Endpoint) => CompiledEndpoint,
): Candidate[] {
  const inspected: Candidate[] = [];
  for (const matched of endpoints) {
    const compiled = compiledFor(matched.endpoint);
    if (compiled.inspected) inspected.push({ matched, compiled });
  }
  return inspected;
}

/** What an endpoint wants to know first. Where several read one language, the smallest of their limits holds. */
function firstNeed(
  candidates: readonly Candidate[],
  request: RequestFacts,
): (ContentNeed & Pick<NeedsBody, "rule">) | undefined {
  let found: (ContentNeed & Pick<NeedsBody, "rule">) | undefined;
  for (const { matched, compiled } of candidates) {
    const need = compiled.needs(request);
    if (need === undefined || (found !== undefined && found.language !== need.language)) continue;
    if (found === undefined || need.maxBytes < found.maxBytes) found = { rule: matched.rule, ...need };
  }
  return found;
}

/** The first endpoint that allows; only one of those that judge the contents can, if there are any. */
function findAllowing(
  candidates: readonly Candidate[],
  judges: readonly Candidate[],
  request: RequestFacts,
): Candidate | undefined {
  return candidates.find(
    (candidate) => (judges.length === 0 || candidate.compiled.authoritative) && allows(candidate, request),
  );
}

function allows({ matched, compiled }: Candidate, request: RequestFacts): boolean {
  return (!request.hasEncodedSlash || matched.endpoint.allowEncodedSlash) && compiled.allows(request);
}

function whyNot(candidates: readonly Candidate[], request: RequestFacts): ReasonCode {
  if (request.upgrade !== undefined && request.method !== websocketText) return "inspect.upgrade";
  const slashRefused =
    request.hasEncodedSlash && candidates.every(({ matched }) => !matched.endpoint.allowEncodedSlash);
  return slashRefused ? "inspect.ambiguous" : "inspect.no_rule";
}

function isAuditOnly(candidates: readonly Candidate[]): boolean {
  return candidates.length > 0 && candidates.every(({ matched }) => matched.endpoint.enforcement === "audit");
}
