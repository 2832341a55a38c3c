/**
 * Step 5: where does the name really lead, and may a sandbox go there?
 * Takes  Decided: the policy allows the name.
 * Gives  Guarded: the checked addresses, pinned; step 10 dials these and looks nothing up again.
 * Refuses guard.unresolved | guard.loopback | guard.link_local | guard.metadata | guard.private | guard.reserved |
 *         guard.control_plane | decide.implicit_deny (a public address outside of `allowed_ips`).
 *        Where a proxy is trusted to look names up, the checks are the proxy's: see upstream-proxies.ts.
 * Assumes whoever controls the name controls its addresses, and may change them between two look-ups (DNS rebinding).
 */
import type { Decided, Guarded, Refusal } from "../connection.ts";
import { controlPlanePorts, forbiddenReason, type OwnEndpoints } from "./forbid-internal.ts";
import { type Resolver, resolveHost } from "./resolve.ts";
import type { UpstreamProxies } from "./upstream-proxies.ts";

export interface GuardContext {
  readonly resolver: Resolver;
  readonly own: OwnEndpoints;
  readonly proxies: UpstreamProxies;
}

/**
 * Resolves and checks. One forbidden address among several refuses the whole: an honest name has none, and a rebinding
 * one mixes a harmless address with the one it is after.
 */
export async function guard(connection: Decided, context: GuardContext): Promise<Guarded | Refusal> {
  const { host, port } = connection.destination;
  const trusted = controlPlanePorts.has(port) ? undefined : context.proxies.chooseByName(connection);
  if (trusted !== undefined) return { ...connection, addresses: [], via: trusted };
  const addresses = await resolveHost(host, context.resolver);
  if (addresses === undefined) {
    return { refused: "guard.unresolved", detail: `${host} does not resolve`, rule: connection.rule };
  }
  for (const address of addresses) {
    const refused = forbiddenReason(connection, address, context.own);
    if (refused === undefined) continue;
    const leads = address.text === host ? "" : ` leads to ${address.text}, which`;
    const detail = `${host}:${port}${leads} is out of bounds for a sandbox`;
    return { refused, detail, rule: connection.rule, address: address.text };
  }
  const via = context.proxies.choose(connection.destination, addresses);
  return via === undefined ? { ...connection, addresses } : { ...connection, addresses, via };
}
