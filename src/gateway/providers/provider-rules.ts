/**
 * What attached providers add to a sandbox's policy: a rule each, by a name that is kept for them. A revision holds the
 * whole, so that what is in force can be read; the rules are made anew for each revision, and nobody else can write them.
 */
import { clone, create } from "@bufbuild/protobuf";
import {
  NetworkBinarySchema,
  NetworkCredentialBindingSchema,
  type NetworkPolicyRule,
  NetworkPolicyRuleSchema,
  type SandboxPolicy,
  SandboxPolicySchema,
} from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import { defaultPolicy } from "../../policy/default-policy.ts";
import { policyToMessage } from "../../policy/wire.ts";
import type { AttachedProvider } from "./attached-providers.ts";

/** Rules whose key begins so are the providers'. */
const PREFIX = "_provider_";

/**
 * The policy (none: the restrictive default) with the rules of exactly these providers. A rule more never takes back what
 * another denies.
 */
export function withProviderRules(
  policy: SandboxPolicy | undefined,
  attached: readonly AttachedProvider[],
): SandboxPolicy {
  const composed = policy === undefined ? policyToMessage(defaultPolicy) : clone(SandboxPolicySchema, policy);
  for (const key of Object.keys(composed.networkPolicies)) {
    if (key.startsWith(PREFIX)) delete composed.networkPolicies[key];
  }
  for (const provider of attached) {
    const rule = providerRule(provider);
    if (rule !== undefined) composed.networkPolicies[rule.name] = rule;
  }
  return composed;
}

/** Undefined for a provider that has no endpoints of its own: the policy's own endpoints name it then. */
function providerRule({ record, profile, endpoints }: AttachedProvider): NetworkPolicyRule | undefined {
  if (endpoints.length === 0) return undefined;
  const credentialBinding = create(NetworkCredentialBindingSchema, { provider: record.name });
  return create(NetworkPolicyRuleSchema, {
    name: `${PREFIX}${record.name}`,
    endpoints: endpoints.map((endpoint) => ({ ...endpoint, credentialBinding })),
    // Only a base URL gives an endpoint to a profile without programs.
    binaries: profile.binaries.length === 0 ? [create(NetworkBinarySchema, { path: "any" })] : profile.binaries,
  });
}
