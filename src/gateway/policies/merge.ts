import { clone, create, equals } from "@bufbuild/protobuf";
import {
  type NetworkEndpoint,
  NetworkEndpointSchema,
  type NetworkPolicyRule,
  NetworkPolicyRuleSchema,
  type SandboxPolicy,
  SandboxPolicySchema,
} from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import type { PolicyMergeOperation } from "../../gen/openshell/v1/policy_pb.ts";
import { failedPrecondition, invalid } from "../refuse.ts";

/**
 * The policy after an incremental change: all operations in order, or, if one makes no sense, FAILED_PRECONDITION and
 * none. Whether the outcome is a good policy is checked afterwards, as for any other.
 */
export function mergedPolicy(current: SandboxPolicy, operations: readonly PolicyMergeOperation[]): SandboxPolicy {
  const policy = clone(SandboxPolicySchema, current);
  for (const operation of operations) apply(policy, operation);
  return policy;
}

function apply(policy: SandboxPolicy, { operation }: PolicyMergeOperation): void {
  const rules = policy.networkPolicies;
  switch (operation.case) {
    case "addRule": {
      const { ruleName, rule } = operation.value;
      if (ruleName === "" || rule === undefined) throw invalid("a rule needs a name and a content");
      rules[ruleName] = joined(rules[ruleName], rule);
      return;
    }
    case "removeRule":
      requireRule(rules, operation.value.ruleName);
      delete rules[operation.value.ruleName];
      return;
    case "removeEndpoint":
      removeEndpoint(rules, operation.value);
      return;
    case "removeBinary": {
      const rule = requireRule(rules, operation.value.ruleName);
      rule.binaries = rule.binaries.filter(({ path }) => path !== operation.value.binaryPath);
      return;
    }
    case "addDenyRules":
      for (const endpoint of requireEndpoints(rules, operation.value))
        endpoint.denyRules.push(...operation.value.denyRules);
      return;
    case "addAllowRules":
      for (const endpoint of requireEndpoints(rules, operation.value)) endpoint.rules.push(...operation.value.rules);
      return;
    case undefined:
      throw invalid("an operation that this gateway does not know");
    default:
      operation satisfies never;
  }
}

type Rules = SandboxPolicy["networkPolicies"];

interface Site {
  readonly host: string;
  readonly port: number;
}

/** A rule of that name gets what is new in the other one; nothing twice. */
function joined(rule: NetworkPolicyRule | undefined, added: NetworkPolicyRule): NetworkPolicyRule {
  if (rule === undefined) return added;
  const newEndpoints = added.endpoints.filter(
    (endpoint) => !rule.endpoints.some((known) => equals(NetworkEndpointSchema, known, endpoint)),
  );
  const newBinaries = added.binaries.filter(({ path }) => !rule.binaries.some((known) => known.path === path));
  return create(NetworkPolicyRuleSchema, {
    name: rule.name,
    endpoints: [...rule.endpoints, ...newEndpoints],
    binaries: [...rule.binaries, ...newBinaries],
  });
}

function removeEndpoint(rules: Rules, site: Site & { readonly ruleName: string }): void {
  requireEndpoints(site.ruleName === "" ? rules : { [site.ruleName]: requireRule(rules, site.ruleName) }, site);
  for (const [name, rule] of Object.entries(rules)) {
    if (site.ruleName !== "" && site.ruleName !== name) continue;
    rule.endpoints = rule.endpoints.flatMap((endpoint) => withoutPort(endpoint, site));
    // A rule without endpoints would be refused, and means nothing.
    if (rule.endpoints.length === 0) delete rules[name];
  }
}

function withoutPort(endpoint: NetworkEndpoint, site: Site): NetworkEndpoint[] {
  if (!isAt(endpoint, site)) return [endpoint];
  const ports = portsOf(endpoint).filter((port) => port !== site.port);
  if (ports.length === 0) return [];
  return [{ ...endpoint, ports, port: ports[0] ?? 0 }];
}

function requireRule(rules: Rules, name: string): NetworkPolicyRule {
  const rule = rules[name];
  if (rule === undefined) throw failedPrecondition(`the policy has no rule "${name}"`);
  return rule;
}

function requireEndpoints(rules: Rules, site: Site): NetworkEndpoint[] {
  const found = Object.values(rules).flatMap(({ endpoints }) => endpoints.filter((endpoint) => isAt(endpoint, site)));
  if (found.length === 0) throw failedPrecondition(`the policy has no endpoint ${site.host}:${site.port}`);
  return found;
}

function isAt(endpoint: NetworkEndpoint, { host, port }: Site): boolean {
  return endpoint.host === host.toLowerCase() && portsOf(endpoint).includes(port);
}

function portsOf({ port, ports }: NetworkEndpoint): readonly number[] {
  return ports.length > 0 ? ports : [port];
}
