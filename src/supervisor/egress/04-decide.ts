/**
 * Step 4: may this binary reach this destination?
 * Takes  Identified: every process holding the socket is known (02).
 * Gives  Decided: the endpoints that matched and the policy revision they came from.
 * Refuses decide.implicit_deny | decide.binary_not_allowed | decide.explicit_deny | decide.no_policy.
 * Assumes the host is canonical (01). Looks nothing up: names are resolved only after this step (05), so that a denied
 *        name never leaves.
 */
import type { CompiledPolicy, ConnectVerdict, MatchedEndpoint } from "../../policy/verdict.ts";
import type { Decided, Holder, Identified, Refusal } from "./connection.ts";

type Allowed = Extract<ConnectVerdict, { kind: "allow" }>;

/** Decides anew also for a connection that was decided before, when the policy has changed meanwhile. */
export function decide(connection: Identified, policy: CompiledPolicy | undefined): Decided | Refusal {
  const { host, port } = connection.destination;
  if (policy === undefined)
    return { refused: "decide.no_policy", detail: `no policy to decide on ${host}:${port} with` };
  const allowed: Allowed[] = [];
  // A socket inherited over fork has several holders. The least trusted one could be the writer, so each must be allowed.
  for (const holder of connection.holders) {
    const verdict = policy.connect(connection.destination, callerOf(holder));
    if (verdict.kind === "deny") {
      const detail = `${holder.path} may not connect to ${host}:${port}`;
      return verdict.rule === undefined
        ? { refused: verdict.reason, detail }
        : { refused: verdict.reason, detail, rule: verdict.rule };
    }
    allowed.push(verdict);
  }
  // In a sandbox that is only observed, a holder whom no rule allows lets all of them through, on record.
  const observed = allowed.find((verdict) => verdict.observed !== undefined);
  const first = observed ?? allowed[0];
  const endpoints = observed?.endpoints ?? commonEndpoints(allowed);
  if (first === undefined || endpoints === undefined) {
    const detail = `the processes that share the connection to ${host}:${port} are allowed by different rules`;
    return { refused: "decide.binary_not_allowed", detail };
  }
  const inspected = allowed.some((verdict) => verdict.inspected);
  const revision = policy.revision.version;
  return { ...connection, rule: first.rule, endpoints, inspected, revision, observed: first.observed };
}

function callerOf(holder: Holder): { readonly path: string; readonly ancestors: readonly string[] } {
  return { path: holder.path, ancestors: holder.ancestors.map(({ path }) => path) };
}

/**
 * The endpoints that every holder was allowed by. Undefined if there are none, or if an endpoint left out has deny rules:
 * these would then be passed over for the holder they were written for.
 */
function commonEndpoints(allowed: readonly Allowed[]): readonly MatchedEndpoint[] | undefined {
  const [first, ...others] = allowed;
  if (first === undefined) return undefined;
  if (others.length === 0) return first.endpoints;
  const isCommon = ({ endpoint }: MatchedEndpoint): boolean =>
    allowed.every((verdict) => verdict.endpoints.some((other) => other.endpoint === endpoint));
  const leftOut = allowed.flatMap((verdict) => verdict.endpoints.filter((matched) => !isCommon(matched)));
  if (leftOut.some(({ endpoint }) => endpoint.denyRules.length > 0)) return undefined;
  const common = first.endpoints.filter(isCommon);
  return common.length === 0 ? undefined : common;
}
