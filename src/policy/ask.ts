/**
 * One question to a policy, at every layer that it is about: what the proxy would decide on the way, in one answer.
 */
import type { IpAddress } from "../net/address-class.ts";
import { addressPermitted } from "./match/address.ts";
import type { Endpoint } from "./policy.ts";
import type {
  Caller,
  CompiledPolicy,
  ConnectVerdict,
  Destination,
  MatchedEndpoint,
  RequestFacts,
  RequestVerdict,
} from "./verdict.ts";

export interface Question {
  readonly destination: Destination;
  readonly caller: Caller;
  readonly request?: RequestFacts;
  /** The name leads to a private address, so that a rule must name exactly this host. */
  readonly isPrivate?: boolean;
  /** Where the name leads, if that is part of the question. */
  readonly address?: IpAddress;
}

export interface Answer {
  readonly connect: ConnectVerdict;
  /** Absent if no request was asked about, or the connection is denied or not inspected. */
  readonly request?: RequestVerdict;
}

/** What the policy says. */
export function ask(policy: CompiledPolicy, { destination, caller, request, isPrivate, address }: Question): Answer {
  const connect = policy.connect(destination, caller);
  if (
    connect.kind === "allow" &&
    isPrivate &&
    !connect.endpoints.some(({ endpoint }) => names(endpoint, destination))
  ) {
    return { connect: { kind: "deny", reason: "guard.private", rule: connect.rule } };
  }
  if (connect.kind === "allow" && address !== undefined) {
    const permitted = addressPermitted(connect.endpoints, destination.host, address);
    if (permitted !== true) return { connect: { kind: "deny", reason: permitted, rule: connect.rule } };
  }
  if (connect.kind === "deny" || !connect.inspected || request === undefined) return { connect };
  return { connect, request: askKnown(policy, connect.endpoints, request) };
}

/** The verdict on what is known: of contents that nobody has told, no allow rule can be said to hold. */
function askKnown(
  policy: CompiledPolicy,
  endpoints: readonly MatchedEndpoint[],
  request: RequestFacts,
): RequestVerdict {
  const verdict = policy.request(endpoints, request);
  if (verdict.kind !== "needs-body") return verdict;
  // Only a POST is sure to have contents.
  if (verdict.language === "json-rpc" && request.method !== "POST") {
    return askKnown(policy, endpoints, { ...request, rpc: [] });
  }
  const { rule, auditOnly } = verdict;
  return { kind: "deny", reason: "inspect.no_rule", rule, auditOnly };
}

/** Whether an endpoint opens private addresses for a host by naming it; what `allowed_ips` holds is not asked here. */
function names({ host, advisorProposed, allowedIps }: Endpoint, destination: Destination): boolean {
  return host === destination.host && !advisorProposed && allowedIps.length === 0;
}

/** Whether it is allowed at every layer that was asked about. */
export function isAllowed({ connect, request }: Answer): boolean {
  return (request ?? connect).kind === "allow";
}
