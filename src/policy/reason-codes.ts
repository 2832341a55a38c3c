/**
 * The one table of reason codes. The answer to the client, the audit event, the CLI text and docs/reason-codes.md are
 * all made from it; nowhere else is a code, a sentence or a status written out.
 *
 * A code is `step.what`; the steps are those of the decision path (src/supervisor/egress/). `error` is the coarse word
 * that programs written for the published OpenShell look for; it is absent where nothing can be answered.
 */

/** How severe a refusal is in the audit log; OCSF severity names (1 Informational … 5 Critical). */
export type ReasonSeverity = "informational" | "low" | "medium" | "high" | "critical";

export interface ReasonEntry {
  /** Coarse published word for programs, absent where no HTTP answer can be given. */
  readonly error?: string;
  /** HTTP status of the answer; absent where no HTTP answer can be given. */
  readonly status?: number;
  /** One sentence for people: what happened. */
  readonly sentence: string;
  /** One sentence for people: what to do about it. `NAME` stands for the sandbox's name; see `remedyFor`. */
  readonly remedy: string;
  readonly severity: ReasonSeverity;
  /** Whether someone should be told apart from the log: it is no honest mistake, or looks like none. */
  readonly raisesFinding?: true;
}

const denied = { error: "policy_denied", status: 403, severity: "medium" } as const;
const forbiddenAddress = { error: "ssrf_denied", status: 403, severity: "high" } as const;
const untrusted = { error: "tls_verification_failed", status: 502, severity: "medium" } as const;
const badTarget = { error: "invalid_request_target", status: 400, severity: "medium" } as const;
const allowIt = "Run `openshell policy explain NAME` to see the nearest rule and the change that would allow it.";

export const reasonCodes = {
  "intercept.malformed_destination": {
    ...badTarget,
    sentence: "The destination's host or port is malformed.",
    remedy: "Use a plain host name or address and a port from 1 to 65535.",
  },
  "intercept.malformed_request": {
    ...badTarget,
    sentence: "The proxy request can be read in two ways.",
    remedy: "Send a CONNECT or absolute-form request as RFC 9112 writes it.",
  },
  "intercept.udp": {
    severity: "low",
    sentence: "UDP other than DNS does not leave a sandbox.",
    remedy: "Use TCP; programs that try QUIC first fall back by themselves.",
  },
  "intercept.busy": {
    error: "unavailable",
    status: 503,
    severity: "medium",
    sentence: "The sandbox has too many open connections.",
    remedy: "Close connections that are no longer needed, then try again.",
  },
  "identify.no_holder": {
    ...denied,
    sentence: "No process of the sandbox holds the connection.",
    remedy: "Keep the process that opened the connection alive until it is answered.",
  },
  "identify.unreadable": {
    ...denied,
    severity: "high",
    sentence: "The process that holds the connection can't be read.",
    remedy: "Run the program as the sandbox's ordinary user.",
  },
  "identify.binary_changed": {
    ...denied,
    raisesFinding: true,
    severity: "high",
    sentence: "The program is not the one first seen at that path.",
    remedy: "If the change was yours, create a new sandbox: this one keeps to the programs that it has seen first.",
  },
  "decide.implicit_deny": {
    ...denied,
    sentence: "No rule of the policy names this destination.",
    remedy: allowIt,
  },
  "decide.binary_not_allowed": {
    ...denied,
    sentence: "A rule names this destination, but for other programs.",
    remedy: allowIt,
  },
  "decide.explicit_deny": {
    ...denied,
    sentence: "A rule of the policy denies this destination.",
    remedy: "Remove the deny rule if it is not meant.",
  },
  "decide.no_policy": {
    error: "policy_unavailable",
    status: 503,
    severity: "high",
    sentence: "No policy could be loaded, so nothing is allowed.",
    remedy: "Look at `openshell policy get NAME` and set a policy that loads.",
  },
  "guard.loopback": {
    ...forbiddenAddress,
    sentence: "The name leads to a loopback address.",
    remedy: "To reach the machine of the gateway, name host.openshell.internal in the policy.",
  },
  "guard.link_local": {
    ...forbiddenAddress,
    sentence: "The name leads to a link-local address.",
    remedy: "Link-local addresses are never reachable from a sandbox.",
  },
  "guard.metadata": {
    ...forbiddenAddress,
    raisesFinding: true,
    severity: "critical",
    sentence: "The name leads to a cloud metadata service.",
    remedy: "Metadata services are never reachable from a sandbox; attach a provider instead.",
  },
  "guard.private": {
    ...forbiddenAddress,
    sentence: "The name leads to a private address.",
    remedy: "Name the exact host in the policy, or list the address under `allowed_ips`.",
  },
  "guard.reserved": {
    ...forbiddenAddress,
    sentence: "The name leads to a reserved address.",
    remedy:
      "Reserved, multicast and unspecified addresses are never reachable from a sandbox. Those for documentation " +
      "(192.0.2.0/24 and the like) are for the exact host that the policy names, or listed under `allowed_ips`.",
  },
  "guard.control_plane": {
    ...forbiddenAddress,
    raisesFinding: true,
    severity: "critical",
    sentence: "The destination is a control plane of this machine or cluster.",
    remedy: "Control planes are never reachable from a sandbox.",
  },
  "guard.unresolved": {
    error: "upstream_unreachable",
    status: 502,
    severity: "low",
    sentence: "The name does not resolve.",
    remedy: "Check the spelling of the name and the resolver of the gateway's machine.",
  },
  "peek.timeout": {
    error: "policy_denied",
    status: 408,
    severity: "low",
    sentence: "The client did not say anything in time.",
    remedy: "An inspected endpoint expects the client to speak first.",
  },
  "peek.not_http": {
    error: "policy_denied",
    status: 403,
    severity: "medium",
    sentence: "The connection carries neither TLS nor HTTP, which its endpoint is inspected for.",
    remedy: "Remove `protocol` from the endpoint, or set `protocol: tcp`, if other protocols are meant.",
  },
  "terminate.name_mismatch": {
    error: "policy_denied",
    status: 421,
    severity: "high",
    sentence: "The names in the connection, in TLS and in the Host header differ.",
    remedy: "Ask for the host that the connection was opened to.",
  },
  "terminate.upstream_untrusted": {
    ...untrusted,
    sentence: "The upstream's certificate can't be trusted.",
    remedy: "Check the upstream's certificate.",
  },
  "terminate.upstream_untrusted.expired": {
    ...untrusted,
    sentence: "The upstream's certificate has expired or is not valid yet.",
    remedy: "Renew the upstream's certificate, or check the clock of the gateway's machine.",
  },
  "terminate.upstream_untrusted.wrong_host": {
    ...untrusted,
    sentence: "The upstream's certificate is for another host.",
    remedy: "Ask for a host that the certificate names.",
  },
  "terminate.upstream_untrusted.unknown_issuer": {
    ...untrusted,
    sentence: "The upstream's certificate is from an unknown issuer.",
    remedy: "Add the issuer to the trust store of the gateway's machine or of the sandbox's image.",
  },
  "terminate.upstream_untrusted.revoked": {
    ...untrusted,
    sentence: "The upstream's certificate is revoked, or its issuer may not issue it.",
    remedy: "Replace the upstream's certificate.",
  },
  "terminate.upstream_untrusted.weak": {
    ...untrusted,
    sentence: "The upstream's certificate or cipher is too weak.",
    remedy: "Use at least RSA 2048 or EC P-256 and TLS 1.2 upstream.",
  },
  "terminate.client_rejected": {
    severity: "low",
    sentence: "The program does not trust the sandbox's certificate authority.",
    remedy: "Point the program at the bundle named by SSL_CERT_FILE, or set `tls: skip` on the endpoint.",
  },
  "inspect.ambiguous": {
    error: "invalid_request",
    status: 400,
    severity: "high",
    sentence: "The request can be read in two ways.",
    remedy: "Send the request as RFC 9112 writes it, with a canonical path.",
  },
  "inspect.no_rule": {
    ...denied,
    sentence: "No rule of the policy allows this request.",
    remedy: allowIt,
  },
  "inspect.deny_rule": {
    ...denied,
    sentence: "A deny rule of the policy forbids this request.",
    remedy: "Remove the deny rule if it is not meant.",
  },
  "inspect.upgrade": {
    ...denied,
    sentence: "The request asks for an upgrade that no rule allows.",
    remedy: "Use an endpoint with `protocol: websocket` where a WebSocket is meant.",
  },
  "inspect.method_unsupported": {
    error: "policy_denied",
    status: 405,
    severity: "medium",
    sentence: "The method is never forwarded.",
    remedy: "CONNECT inside a tunnel and TRACE are refused whatever the policy says.",
  },
  "inspect.flood": {
    severity: "high",
    sentence: "The HTTP/2 connection was flooded with frames that ask for nothing.",
    remedy: "Look at the program: it resets streams or sends control frames faster than any use of them explains.",
  },
  "inspect.too_large": {
    error: "request_too_large",
    status: 413,
    severity: "low",
    sentence: "The request is larger than what can be inspected.",
    remedy: "Send a smaller request, or raise the endpoint's limit.",
  },
  "inspect.invalid_graphql": {
    error: "invalid_graphql_request",
    status: 400,
    severity: "medium",
    sentence: "The request is not valid GraphQL.",
    remedy: "Send a GraphQL document that parses.",
  },
  "inspect.invalid_json_rpc": {
    error: "invalid_jsonrpc_request",
    status: 400,
    severity: "medium",
    sentence: "The request is not valid JSON-RPC.",
    remedy: "Send a JSON-RPC 2.0 request.",
  },
  "credential.endpoint_mismatch": {
    raisesFinding: true,
    error: "credential_endpoint_mismatch",
    status: 403,
    severity: "critical",
    sentence: "A credential's placeholder is on its way to an endpoint it is not bound to.",
    remedy: "Use the credential only with the endpoints of its provider.",
  },
  "credential.invalid": {
    error: "invalid_credential_placeholder",
    status: 403,
    severity: "high",
    sentence: "The request holds a placeholder that belongs to no credential.",
    remedy: "Read the credential from the sandbox's environment again.",
  },
  "credential.unseen": {
    error: "policy_denied",
    status: 403,
    severity: "medium",
    sentence: "A provider's credential is for this destination, and traffic to it would pass unseen.",
    remedy: "Give the endpoint `protocol: rest`, or `allow_uninspected_credentials: true` where that is meant.",
  },
  "credential.expired": {
    error: "credential_unavailable",
    status: 503,
    severity: "medium",
    sentence: "The credential has expired.",
    remedy: "Refresh or rotate the credential of the provider.",
  },
  "credential.unavailable": {
    error: "credential_unavailable",
    status: 503,
    severity: "medium",
    sentence: "The credential can't be had at the moment.",
    remedy: "Look at the provider's refresh status.",
  },
  "credential.unmaskable": {
    error: "credential_unmaskable",
    status: 502,
    severity: "medium",
    sentence: "The response can't be searched for credentials, as the policy wants it to be.",
    remedy:
      "Take `mask_credentials` from the endpoint, or keep it to paths whose responses are short and not compressed.",
  },
  "forward.unreachable": {
    error: "upstream_unreachable",
    status: 502,
    severity: "low",
    sentence: "The upstream can't be reached.",
    remedy: "Check that the upstream is up and reachable from the gateway's machine.",
  },
  "forward.reset": {
    error: "upstream_unreachable",
    status: 502,
    severity: "low",
    sentence: "The upstream broke the connection or answered with something that is not HTTP.",
    remedy: "Try again; if it persists, look at the upstream.",
  },
  "forward.timeout": {
    error: "upstream_unreachable",
    status: 504,
    severity: "low",
    sentence: "The upstream did not answer in time.",
    remedy: "Try again; if it persists, look at the upstream.",
  },
  "audit.unwritable": {
    error: "unavailable",
    status: 503,
    severity: "critical",
    sentence: "The audit log, or a program's first use, can't be written, so nothing new may pass.",
    remedy: "Make room on the disk that holds the gateway's state; traffic passes again by itself.",
  },
  "inference.unknown_request": {
    status: 404,
    severity: "medium",
    sentence: "The request is not one of the inference calls that inference.local passes.",
    remedy: "Use Chat Completions, Completions, Responses, Embeddings, Models, Messages or Bedrock's invoke.",
  },
  "inference.unknown_model": {
    status: 404,
    severity: "informational",
    sentence: "No route to a model has this name.",
    remedy: "Ask for one of those that GET /v1/models lists.",
  },
  "inference.websocket": {
    status: 426,
    severity: "informational",
    sentence: "Models are asked over HTTP here, not over a WebSocket.",
    remedy: "Send the call as a POST; programs that try a WebSocket first fall back by themselves.",
  },
  "inference.malformed_call": {
    status: 400,
    severity: "low",
    sentence: "The call can't be read, or can be read in two ways.",
    remedy: "Send one JSON object in UTF-8, in which each member stands once.",
  },
  "inference.untranslatable": {
    status: 400,
    severity: "low",
    sentence: "The call asks for something that the route's backend has no words for.",
    remedy: "Leave it out, or ask for a route whose backend speaks the call's own dialect.",
  },
  "inference.no_threads": {
    status: 400,
    severity: "informational",
    sentence: "The route's backend keeps no conversation between calls.",
    remedy: "Send all of it, without `thread`, as the tool runners of Anthropic's SDKs then do by themselves.",
  },
  "inference.too_large": {
    status: 413,
    severity: "low",
    sentence: "The call's body is too large.",
    remedy: "Shorten the conversation, or send pictures by reference.",
  },
  "inference.busy": {
    status: 503,
    severity: "medium",
    sentence: "The calls that the sandbox has under way hold as much memory as they may.",
    remedy: "Wait for some of them to be answered.",
  },
  "inference.no_route": {
    status: 503,
    severity: "medium",
    sentence: "The sandbox has no route to a model.",
    remedy: "Set one with `openshell inference set`.",
  },
  "inference.budget": {
    status: 429,
    severity: "low",
    sentence: "The budget of the sandbox or of the route is used up.",
    remedy: "Wait for the next window, or raise the budget.",
  },
  "inference.backend": {
    status: 502,
    severity: "medium",
    sentence: "The model's backend failed.",
    remedy: "Look at `openshell inference test`.",
  },
  "inference.backend_timeout": {
    status: 504,
    severity: "medium",
    sentence: "The model's backend took too long.",
    remedy: "Try again, or raise the route's timeouts.",
  },
} as const satisfies Record<string, ReasonEntry>;

export type ReasonCode = keyof typeof reasonCodes;

/** The table's entry for a code. */
export function reasonEntry(code: ReasonCode): ReasonEntry {
  return reasonCodes[code];
}

/** What to do about a refusal in this sandbox, so that the commands in it can be run as they stand. */
export function remedyFor(code: ReasonCode, sandbox: string): string {
  return reasonCodes[code].remedy.replace(/\bNAME\b/, sandbox);
}
