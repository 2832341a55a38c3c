/**
 * Incremental changes of a policy. The only implementation: the gateway makes a change with it, and the CLI shows with it
 * what a change would make. Works on the API's messages, since that is what a change is told in.
 */
import { clone, create, equals } from "@bufbuild/protobuf";
import {
  type NetworkEndpoint,
  NetworkEndpointSchema,
  type NetworkPolicyRule,
  NetworkPolicyRuleSchema,
  type SandboxPolicy,
  SandboxPolicySchema,
} from "../gen/openshell/sandbox/v1/sandbox_pb.ts";
import type { PolicyMergeOperation } from "../gen/openshell/v1/policy_pb.ts";

export type MergeResult =
  | { readonly ok: true; readonly policy: SandboxPolicy }
  | {
      readonly ok: false;
      /** `malformed`: it makes no sense for any policy; `misfit`: not for this one. */
      readonly kind: "malformed" | "misfit";
      readonly message: string;
    };

/**
 * The policy after all operations, in their order; or, if one makes no sense, what is wrong with it and no policy.
 * Whether the outcome is a good policy is checked afterwards, as for any other.
 */
export function mergePolicy(current: SandboxPolicy, operations: readonly PolicyMergeOperation[]): MergeResult {
  const policy = clone(SandboxPolicySchema, current);
  // A map without a prototype: `constructor` is a rule's name like any other.
  policy.networkPolicies = Object.assign(Object.create(null), policy.networkPolicies);
  for (const operation of operations) {
    const problem = apply(policy.networkPolicies, operation);
    if (problem !== undefined) return problem;
  }
  return { ok: true, policy };
}

type Rules = SandboxPolicy["networkPolicies"];
type Problem = Extract<MergeResult, { ok: false }>;

/** Changes `rules`, or says why it cannot. */
function apply(rules: Rules, { operation }: PolicyMergeOperation): Problem | undefined {
  switch (operation.case) {
    case "addRule": {
      const { ruleName, rule } = operation.value;
      if (ruleName === "" || rule === undefined) return malformed("a rule needs a name and a content");
      rules[ruleName] = joined(rules[ruleName], rule);
      return undefined;
    }
    case "removeRule": {
      const { ruleName } = operation.value;
      if (rules[ruleName] === undefined) return noRule(ruleName);
      delete rules[ruleName];
      return undefined;
    }
    case "removeEndpoint":
      return removeEndpoint(rules, operation.value);
    case "removeBinary": {
      const { ruleName, binaryPath } = operation.value;
      const rule = rules[ruleName];
      if (rule === undefined) return noRule(ruleName);
      rule.binaries = rule.binaries.filter(({ path }) => path !== binaryPath);
      return undefined;
    }
    case "addDenyRules": {
      const endpoints = endpointsAt(rules, operation.value);
      for (const endpoint of endpoints) endpoint.denyRules.push(...operation.value.denyRules);
      return endpoints.length === 0 ? noEndpoint(operation.value) : undefined;
    }
    case "addAllowRules": {
      const endpoints = endpointsAt(rules, operation.value);
      for (const endpoint of endpoints) endpoint.rules.push(...operation.value.rules);
      return endpoints.length === 0 ? noEndpoint(operation.value) : undefined;
    }
    case undefined:
      return malformed("an operation that this version does not know");
    default:
      return operation satisfies never;
  }
}

function malformed(message: string): Problem {
  return { ok: false, kind: "malformed", message };
}

function noRule(name: string): Problem {
  return { ok: false, kind: "misfit", message: `the policy has no rule "${name}"` };
}

function noEndpoint({ host, port }: Site): Problem {
  return { ok: false, kind: "misfit", message: `the policy has no endpoint ${host}:${port}` };
}

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

function removeEndpoint(rules: Rules, site: Site & { readonly ruleName: string }): Problem | undefined {
  const names = site.ruleName === "" ? Object.keys(rules) : [site.ruleName];
  let found = false;
  for (const name of names) {
    const rule = rules[name];
    if (rule === undefined) return noRule(name);
    found ||= rule.endpoints.some((endpoint) => isAt(endpoint, site));
    rule.endpoints = rule.endpoints.flatMap((endpoint) => withoutPort(endpoint, site));
    // A rule without endpoints would be refused, and means nothing.
    if (rule.endpoints.length === 0) delete rules[name];
  }
  return found ? undefined : noEndpoint(site);
}

function withoutPort(endpoint: NetworkEndpoint, site: Site): NetworkEndpoint[] {
  if (!isAt(endpoint, site)) return [endpoint];
  const ports = portsOf(endpoint).filter((port) => port !== site.port);
  if (ports.length === 0) return [];
  return [{ ...endpoint, ports, port: ports[0] ?? 0 }];
}

function endpointsAt(rules: Rules, site: Site): NetworkEndpoint[] {
  return Object.values(rules).flatMap(({ endpoints }) => endpoints.filter((endpoint) => isAt(endpoint, site)));
}

function isAt(endpoint: NetworkEndpoint, { host, port }: Site): boolean {
  return endpoint.host === host.toLowerCase() && portsOf(endpoint).includes(port);
}

function portsOf({ port, ports }: NetworkEndpoint): readonly number[] {
  return ports.length > 0 ? ports : [port];
}
