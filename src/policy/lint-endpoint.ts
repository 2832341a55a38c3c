/** What can't be meant in one endpoint. */
import {
  type AddressClass,
  type Cidr,
  cidrOverlaps,
  classifyAddress,
  parseCidr,
  parseIpAddress,
} from "../net/address-class.ts";
import { isInspected } from "./compile-endpoint.ts";
import { lintMatcher } from "./lint-matcher.ts";
import { longestGlob } from "./match/glob.ts";
import { isExactHost } from "./match/host.ts";
import { pathGlobProblem } from "./match/path.ts";
import type { Endpoint } from "./policy.ts";
import type { KeyPath, Problem } from "./problem.ts";

/** Never reachable, whatever a policy says; a block that reaches into them promises what is not kept. */
const closedBlocks: readonly (readonly [string, Cidr])[] = [
  ["loopback", "127.0.0.0/8"],
  ["loopback", "::1/128"],
  ["link-local", "169.254.0.0/16"],
  ["link-local", "fe80::/10"],
  ["unspecified", "0.0.0.0/8"],
  ["unspecified", "::/128"],
].flatMap(([name = "", text = ""]) => {
  const cidr = parseCidr(text);
  return cidr === undefined ? [] : [[name, cidr] as const];
});

/** Leaves the decision path before step 4. */
const inferenceHost = "inference.local";

const openClasses: readonly AddressClass[] = ["public", "private", "documentation"];

/** `key` is where the endpoint stands; problems are about it and its fields. */
export function lintEndpoint(endpoint: Endpoint, key: KeyPath): Problem[] {
  return [
    ...lintDestination(endpoint, key),
    ...lintProtocol(endpoint, key),
    ...lintTls(endpoint, key),
    ...lintCredentials(endpoint, key),
    ...lintSelector(endpoint, key),
    ...(endpoint.rules ?? []).flatMap((rule, index) =>
      lintMatcher(rule, { endpoint, purpose: "allow", key: [...key, "rules", index, "allow"] }),
    ),
    ...endpoint.denyRules.flatMap((rule, index) =>
      lintMatcher(rule, { endpoint, purpose: "deny", key: [...key, "deny_rules", index] }),
    ),
  ];
}

function lintDestination(endpoint: Endpoint, key: KeyPath): Problem[] {
  const problems = endpoint.allowedIps.flatMap((text, index) => lintAllowedIp(text, [...key, "allowed_ips", index]));
  const hostKey = [...key, "host"];
  if (endpoint.host === undefined) {
    if (endpoint.allowedIps.length === 0)
      problems.push(error(key, "`host` is missing; only `allowed_ips` can stand for it"));
    return problems;
  }
  if (endpoint.host === inferenceHost) {
    problems.push(
      warning(hostKey, "is answered by the inference routes before any policy is asked, so this has no effect"),
    );
  }
  const address = parseIpAddress(endpoint.host);
  const kind = address === undefined ? "public" : classifyAddress(address);
  if (!openClasses.includes(kind) || endpoint.host === "localhost" || endpoint.host.endsWith(".localhost")) {
    problems.push(
      error(hostKey, "is never reachable from a sandbox; the gateway's machine is host.openshell.internal"),
    );
  }
  return problems;
}

function lintAllowedIp(text: string, key: KeyPath): Problem[] {
  const cidr = parseCidr(text);
  const closed = cidr && closedBlocks.find(([, block]) => cidrOverlaps(cidr, block));
  return closed === undefined ? [] : [error(key, `reaches into ${closed[0]} addresses, which are never reachable`)];
}

function lintProtocol(endpoint: Endpoint, key: KeyPath): Problem[] {
  const { protocol, access, rules, denyRules } = endpoint;
  if (protocol === undefined || protocol === "tcp") return lintUninspected(endpoint, key);
  const problems: Problem[] = [];
  if (access !== undefined && rules !== undefined) {
    problems.push(error([...key, "access"], "excludes `rules`; give one of them"));
  }
  // Presets speak about HTTP methods, and every call of these protocols is a POST, whether it reads or deletes.
  const isRpc = protocol === "mcp" || protocol === "json-rpc";
  if (isRpc && access !== undefined) {
    problems.push(error([...key, "access"], `is not for \`${protocol}\`, whose calls are all POST; write \`rules\``));
  }
  const profile = protocol === "mcp" && endpoint.mcp.allowAllKnownMethods;
  if (access === undefined && rules === undefined && !profile) {
    const base = isRpc ? "`rules`" : "`access` or `rules`";
    const what = denyRules.length > 0 ? "`deny_rules` need something to deny from" : "nothing would ever be allowed";
    problems.push(error(key, `${what}; add ${base}`));
  }
  if (isRpc && endpoint.host === undefined) problems.push(error(key, `\`protocol: ${protocol}\` needs a \`host\``));
  return problems;
}

/** An endpoint whose bytes are passed as they are has no use for what speaks about requests. */
function lintUninspected(endpoint: Endpoint, key: KeyPath): Problem[] {
  const requestFields: readonly (readonly [string, boolean])[] = [
    // Without a protocol, `full` says no more than the endpoint itself.
    ["access", endpoint.access !== undefined && !(endpoint.protocol === undefined && endpoint.access === "full")],
    ["rules", endpoint.rules !== undefined],
    ["deny_rules", endpoint.denyRules.length > 0],
    ["path", endpoint.path !== ""],
    ["allow_encoded_slash", endpoint.allowEncodedSlash],
    ["websocket_credential_rewrite", endpoint.websocketCredentialRewrite],
    ["request_body_credential_rewrite", endpoint.requestBodyCredentialRewrite],
    ["mask_credentials", endpoint.maskCredentials],
    ["credential_signing", endpoint.credentialSigning !== undefined],
  ];
  const remedy = endpoint.protocol === "tcp" ? "is not for `protocol: tcp`" : "needs a `protocol`, such as `rest`";
  const problems = requestFields.filter(([, given]) => given).map(([field]) => error([...key, field], remedy));
  if (endpoint.protocol !== "tcp") return problems;
  // What is not inspected is known by the name that was looked up; an address says nothing about who is behind it.
  if (endpoint.host === undefined || parseIpAddress(endpoint.host) !== undefined) {
    problems.push(error([...key, "host"], "must be a DNS name for `protocol: tcp`"));
  }
  return problems;
}

function lintTls(endpoint: Endpoint, key: KeyPath): Problem[] {
  const tlsKey = [...key, "tls"];
  if (endpoint.tls === "terminate" || endpoint.tls === "passthrough") {
    return [
      warning(tlsKey, `\`${endpoint.tls}\` has no effect: TLS is recognised by itself; remove it, or write \`skip\``),
    ];
  }
  if (endpoint.tls === "skip" && isInspected(endpoint.protocol)) {
    return [
      warning(
        tlsKey,
        "`skip` hides the requests that `protocol` wants to inspect, so TLS is refused; remove one of them",
      ),
    ];
  }
  return [];
}

function lintCredentials(endpoint: Endpoint, key: KeyPath): Problem[] {
  const problems: Problem[] = [];
  if (endpoint.credentialSigning !== undefined && endpoint.signingService === undefined) {
    problems.push(error([...key, "credential_signing"], "needs `signing_service`"));
  }
  // A signature that is asked for but never made would be noticed only when the service refuses it.
  if (endpoint.credentialSigning === undefined && (endpoint.signingService ?? endpoint.signingRegion) !== undefined) {
    problems.push(
      error(
        [...key, endpoint.signingService === undefined ? "signing_region" : "signing_service"],
        "needs `credential_signing`",
      ),
    );
  }
  if (endpoint.credentialSigning !== undefined && endpoint.requestBodyCredentialRewrite) {
    problems.push(
      error(
        [...key, "request_body_credential_rewrite"],
        "excludes `credential_signing`: the signature covers the body",
      ),
    );
  }
  if (endpoint.graphql.persistedQueries === "allow_registered" && endpoint.graphql.registered.size === 0) {
    problems.push(error([...key, "persisted_queries"], "needs `graphql_persisted_queries`"));
  }
  return problems;
}

function lintSelector(endpoint: Endpoint, key: KeyPath): Problem[] {
  const pathKey = [...key, "path"];
  if (endpoint.host !== undefined && !isExactHost(endpoint.host) && endpoint.host.length > longestGlob) {
    return [error([...key, "host"], `must be at most ${longestGlob} characters long`)];
  }
  if (endpoint.path === "") return [];
  if (endpoint.path.length > longestGlob) return [error(pathKey, `must be at most ${longestGlob} characters long`)];
  const problem = pathGlobProblem(endpoint.path);
  return problem === undefined ? [] : [error(pathKey, `can never match: ${problem}`)];
}

function error(key: KeyPath, message: string): Problem {
  return { severity: "error", key, message };
}

function warning(key: KeyPath, message: string): Problem {
  return { severity: "warning", key, message };
}
