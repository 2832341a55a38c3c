/**
 * A policy that only watches: what it would deny passes, and is decided as it would have been, so that the rules a
 * program needs can be learned from its work. It speaks for the policy's rules alone; where no sandbox may go at all is
 * the guard's to say, and HTTP that has two readings stays refused.
 */
import { defaultInspectedBodyBytes } from "./default-policy.ts";
import type { Endpoint } from "./policy.ts";
import type { CompiledPolicy, Destination, ObservedDenial } from "./verdict.ts";

/** Stands where the name of the rule would that lets a connection through. */
export const observedRule = "(observe)";

/** Takes a compiled policy and gives one that denies nothing. */
export function observing(policy: CompiledPolicy): CompiledPolicy {
  return {
    revision: policy.revision,
    connect: (destination, caller) => {
      const verdict = policy.connect(destination, caller);
      if (verdict.kind === "allow") return verdict;
      const { reason, rule } = verdict;
      const observed: ObservedDenial = rule === undefined ? { reason } : { reason, rule };
      const matched = { rule: observedRule, endpoint: observedEndpoint(destination), observed };
      // Inspected, since methods and paths are what is to be learned.
      return { kind: "allow", rule: observedRule, endpoints: [matched], inspected: true, observed };
    },
    request: (endpoints, request) => {
      const denied = endpoints.find(({ observed }) => observed !== undefined)?.observed;
      if (denied !== undefined) return { kind: "deny", ...denied, auditOnly: true };
      const verdict = policy.request(endpoints, request);
      // Contents without a meaning are denied by the rules that wanted to know it, and pass like all that rules deny.
      return verdict.kind === "allow" ? verdict : { ...verdict, auditOnly: true };
    },
  };
}

/**
 * The endpoint of a connection that no rule allows. Its host was chosen by the sandbox and written by nobody, so that it
 * opens no private address, as if it had been proposed.
 */
function observedEndpoint({ host, port }: Destination): Endpoint {
  return { ...anyRequest, host, ports: [port] };
}

const anyRequest: Omit<Endpoint, "host"> = {
  ports: [],
  protocol: "rest",
  access: "full",
  path: "",
  enforcement: "audit",
  denyRules: [],
  allowedIps: [],
  allowEncodedSlash: true,
  advisorProposed: true,
  websocketCredentialRewrite: false,
  requestBodyCredentialRewrite: false,
  maskCredentials: false,
  allowUninspectedCredentials: false,
  graphql: { persistedQueries: "deny", registered: new Map(), maxBodyBytes: defaultInspectedBodyBytes },
  mcp: { maxBodyBytes: defaultInspectedBodyBytes, strictToolNames: true, allowAllKnownMethods: false },
  jsonRpcMaxBodyBytes: defaultInspectedBodyBytes,
};
