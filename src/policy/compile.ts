/**
 * Policy → CompiledPolicy: everything that can be worked out once is, so that a decision takes microseconds. What is
 * compiled does not change; a new revision is a new value.
 */
import { type CompiledEndpoint, compileEndpoint } from "./compile-endpoint.ts";
import { evaluateConnect, indexPolicy } from "./evaluate-connect.ts";
import { evaluateRequest } from "./evaluate-request.ts";
import type { Endpoint, Policy } from "./policy.ts";
import type { CompiledPolicy } from "./verdict.ts";

/** Compiles a policy that was read by `parsePolicy` or `policyFromMessage`. */
export function compilePolicy(policy: Policy, revision: CompiledPolicy["revision"]): CompiledPolicy {
  const index = indexPolicy(policy);
  // Weak, because a connection that is older than this revision asks with endpoints of the revision before.
  const compiled = new WeakMap<Endpoint, CompiledEndpoint>();
  const compiledFor = (endpoint: Endpoint): CompiledEndpoint => {
    const known = compiled.get(endpoint);
    if (known !== undefined) return known;
    const made = compileEndpoint(endpoint);
    compiled.set(endpoint, made);
    return made;
  };
  for (const rule of policy.networkPolicies.values()) for (const endpoint of rule.endpoints) compiledFor(endpoint);
  return {
    revision,
    connect: (destination, caller) => evaluateConnect(index, destination, caller),
    request: (endpoints, request) => evaluateRequest(endpoints, request, compiledFor),
  };
}
