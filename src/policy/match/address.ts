/**
 * May a connection that the policy allowed by name go to this address? The second half of an endpoint's meaning, asked
 * once the name has been resolved; it makes a name in a policy no way into the network around the gateway.
 */
import {
  type AddressClass,
  cidrContains,
  classifyAddress,
  type IpAddress,
  parseCidr,
} from "../../net/address-class.ts";
import type { CanonicalHost } from "../../net/canonical-host.ts";
import type { Endpoint } from "../policy.ts";
import type { ReasonCode } from "../reason-codes.ts";
import type { MatchedEndpoint } from "../verdict.ts";

/**
 * True, or why not. `endpoints` are those that took part in the decision for `host`; one that permits is enough.
 * `host.openshell.internal`, which stands for the gateway's machine, is not decided here.
 */
export function addressPermitted(
  endpoints: readonly MatchedEndpoint[],
  host: CanonicalHost,
  address: IpAddress,
): true | ReasonCode {
  const kind = classifyAddress(address);
  const refused = refusedClass(kind);
  // Addresses of closed networks. Nobody's name leads there by right, but an operator's own may, and is then written out.
  const isInternal = kind === "private" || kind === "documentation";
  // No endpoint can open the others: a name that leads there is an attack, or a mistake that looks like one.
  if (refused !== undefined && !isInternal) return refused;
  if (endpoints.some(({ endpoint }) => permits(endpoint, host, { address, isInternal }))) return true;
  // What is left is a public address outside of every `allowed_ips`: no rule names this pair of name and address.
  return refused ?? "decide.implicit_deny";
}

function permits(
  endpoint: Endpoint,
  host: CanonicalHost,
  candidate: { readonly address: IpAddress; readonly isInternal: boolean },
): boolean {
  if (endpoint.allowedIps.length > 0) return isListed(endpoint.allowedIps, candidate.address);
  if (!candidate.isInternal) return endpoint.host !== undefined;
  // Whoever wrote down one host may be trusted to know where it leads. A wildcard's names are chosen by whoever runs
  // that zone, and a proposed endpoint was written by the agent.
  return endpoint.host === host && !endpoint.advisorProposed;
}

function isListed(allowedIps: readonly string[], address: IpAddress): boolean {
  return allowedIps.some((text) => {
    const cidr = parseCidr(text);
    return cidr !== undefined && cidrContains(cidr, address);
  });
}

/** The code that refuses a class; none for public addresses. */
function refusedClass(kind: AddressClass): ReasonCode | undefined {
  switch (kind) {
    case "public":
      return undefined;
    case "private":
      return "guard.private";
    case "documentation":
    case "reserved":
      return "guard.reserved";
    case "link_local":
      return "guard.link_local";
    case "loopback":
      return "guard.loopback";
    case "metadata":
      return "guard.metadata";
    default:
      return kind satisfies never;
  }
}
