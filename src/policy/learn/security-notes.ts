/**
 * Why a proposed rule deserves a second look: it opens more than one public host to one program. Approving all proposals
 * at once leaves such rules out.
 */
import { classifyAddress, parseCidr, parseIpAddress } from "../../net/address-class.ts";
import { canonicalHost } from "../../net/canonical-host.ts";
import { anyBinary, isExactBinary } from "../match/binary.ts";
import { compileHost, isExactHost } from "../match/host.ts";
import { isEveryPath } from "../match/path.ts";
import type { Endpoint, NetworkRule, Policy } from "../policy.ts";

/** One sentence for each reason, without a full stop; none for a rule that opens what it names. */
export function securityNotes(rule: NetworkRule, policy: Policy): string[] {
  const notes = rule.endpoints.flatMap((endpoint) => endpointNotes(endpoint, policy));
  for (const path of rule.binaries.filter((binary) => !isExactBinary(binary))) {
    notes.push(path === anyBinary ? "is for every program in the sandbox" : `is for every program at ${path}`);
  }
  return Array.from(new Set(notes));
}

function endpointNotes(endpoint: Endpoint, policy: Policy): string[] {
  const { host, allowedIps, protocol, access, rules = [] } = endpoint;
  const notes: string[] = [];
  if (host === undefined) notes.push("names no host: whatever leads to its addresses is open");
  else if (!isExactHost(host)) notes.push(`is for every host of ${host}, which its owner can add to at will`);
  const closed = [host ?? "", ...allowedIps].filter(isPrivate);
  if (closed.length > 0) notes.push(`opens private addresses: ${closed.join(", ")}`);
  if (isCredentialed(endpoint, policy)) notes.push(`is for ${host}, to which credentials are sent`);
  const isEverything = rules.some(({ method, path }) => method === "*" && isEveryPath(path ?? "**"));
  if (protocol !== undefined && protocol !== "tcp" && (access === "full" || isEverything)) {
    notes.push(`allows every request to ${host ?? "its hosts"}`);
  }
  return notes;
}

/** An address or a block; a block counts as what its first address is. */
function isPrivate(text: string): boolean {
  const cidr = parseCidr(text);
  const address = parseIpAddress(cidr === undefined ? text : cidr.text.replace(/\/\d+$/, ""));
  return address !== undefined && classifyAddress(address) !== "public";
}

/** Rules of attached providers; see gateway/providers/provider-rules.ts. */
const providerRule = /^_provider_/;

/** Whether the endpoint, or one that the policy has for the same host, has to do with credentials. */
function isCredentialed(endpoint: Endpoint, policy: Policy): boolean {
  if (usesCredentials(endpoint)) return true;
  return Array.from(policy.networkPolicies.values()).some(({ key, endpoints }) =>
    endpoints.some((known) => isSameHost(known, endpoint) && (providerRule.test(key) || usesCredentials(known))),
  );
}

function usesCredentials(endpoint: Endpoint): boolean {
  return (
    endpoint.credentialBinding !== undefined ||
    endpoint.credentialSigning !== undefined ||
    endpoint.requestBodyCredentialRewrite ||
    endpoint.websocketCredentialRewrite
  );
}

function isSameHost(known: Endpoint, { host }: Endpoint): boolean {
  if (known.host === undefined || host === undefined) return false;
  const exact = canonicalHost(host);
  return known.host === host || (exact.ok && compileHost(known.host)(exact.host));
}
