/**
 * What can be written but can't be meant. A rule that can never match is refused when the policy is loaded, because its
 * author believes in it: an allow rule without effect costs a day, a deny rule without effect is a hole.
 */
import { lintEndpoint } from "./lint-endpoint.ts";
import { lintMiddlewares } from "./lint-middleware.ts";
import { lintFilesystem, lintProcess } from "./lint-static.ts";
import { anyBinary, isExactBinary } from "./match/binary.ts";
import { longestGlob } from "./match/glob.ts";
import type { Endpoint, NetworkRule, Policy } from "./policy.ts";
import type { KeyPath, Problem } from "./problem.ts";

/** Takes a policy that was normalised without error; gives errors, which keep it from loading, and warnings. */
export function lintPolicy(policy: Policy): Problem[] {
  return [
    ...lintFilesystem(policy.filesystem),
    ...lintProcess(policy.process),
    ...Array.from(policy.networkPolicies.values()).flatMap(lintRule),
    ...lintNames(policy),
    ...lintHidden(policy),
    ...lintShadowed(policy),
    ...lintMiddlewares(policy),
  ];
}

function lintRule(rule: NetworkRule): Problem[] {
  const key: KeyPath = ["network_policies", rule.key];
  const problems = rule.endpoints.flatMap((endpoint, index) => lintEndpoint(endpoint, [...key, "endpoints", index]));
  if (rule.endpoints.length === 0) problems.push(error([...key, "endpoints"], "is empty, so the rule can never match"));
  if (rule.binaries.length === 0) {
    // A warning, since published policies have such rules; they match nobody there as here.
    problems.push(warning(key, "names no `binaries`, so it matches no program; list paths, or `path: any`"));
  }
  for (const [index, path] of rule.binaries.entries()) {
    problems.push(...lintBinary(path, [...key, "binaries", index, "path"]));
  }
  return problems;
}

function lintBinary(path: string, key: KeyPath): Problem[] {
  if (path === anyBinary) return [];
  if (!path.startsWith("/")) return [error(key, "must be an absolute path, a glob that starts with `/`, or `any`")];
  if (!isExactBinary(path) && path.length > longestGlob) {
    return [error(key, `must be at most ${longestGlob} characters long`)];
  }
  if (/\/\.{0,2}(\/|$)/.test(path)) {
    return [error(key, "holds an empty segment, `.` or `..`; the path of a running program never does")];
  }
  return path === "/**" ? [warning(key, "matches every program; `path: any` says so")] : [];
}

/** A name stands in the log for its rule, so two rules of one name can't be told apart there. */
function lintNames(policy: Policy): Problem[] {
  const seen = new Map<string, string>();
  return Array.from(policy.networkPolicies.values()).flatMap((rule) => {
    const other = seen.get(rule.name);
    seen.set(rule.name, rule.key);
    if (other === undefined) return [];
    return [
      warning(["network_policies", rule.key, "name"], `is the name of \`${other}\` too; logs can't tell them apart`),
    ];
  });
}

/** A layer-4 endpoint has no effect on the requests that an inspected endpoint of the same host and port decides. */
function lintHidden(policy: Policy): Problem[] {
  const inspected = new Map<string, string>();
  const endpoints = placedEndpoints(policy);
  for (const { rule, endpoint } of endpoints) {
    if (endpoint.protocol === undefined || endpoint.protocol === "tcp") continue;
    for (const port of endpoint.ports) inspected.set(`${endpoint.host}:${port}`, rule.key);
  }
  return endpoints.flatMap(({ rule, endpoint, index }) => {
    if (endpoint.protocol !== undefined && endpoint.protocol !== "tcp") return [];
    const port = endpoint.ports.find((candidate) => inspected.has(`${endpoint.host}:${candidate}`));
    if (port === undefined) return [];
    const other = inspected.get(`${endpoint.host}:${port}`);
    const message = `\`${other}\` inspects the same host and port, and alone decides the requests of programs that both name`;
    return [warning(["network_policies", rule.key, "endpoints", index], message)];
  });
}

/** An endpoint that reads contents is the only one that can allow on its paths: without a `path`, on all of them. */
function lintShadowed(policy: Policy): Problem[] {
  const endpoints = placedEndpoints(policy);
  return endpoints.flatMap(({ rule, endpoint, index }) => {
    if (endpoint.path !== "" || !readsContents(endpoint)) return [];
    const shadowed = endpoints.find(
      ({ endpoint: { protocol, host, ports } }) =>
        protocol === "rest" && host === endpoint.host && ports.some((port) => endpoint.ports.includes(port)),
    );
    if (shadowed === undefined) return [];
    const message = `has no \`path\`, so that it decides every request to ${endpoint.host}, and the \`rest\` endpoint of \`${shadowed.rule.key}\` allows nothing to programs that both name`;
    return [warning(["network_policies", rule.key, "endpoints", index], message)];
  });
}

function readsContents({ protocol }: Endpoint): boolean {
  return protocol === "graphql" || protocol === "json-rpc" || protocol === "mcp";
}

interface PlacedEndpoint {
  readonly rule: NetworkRule;
  readonly endpoint: Endpoint;
  readonly index: number;
}

function placedEndpoints(policy: Policy): PlacedEndpoint[] {
  return Array.from(policy.networkPolicies.values()).flatMap((rule) =>
    rule.endpoints.map((endpoint, index) => ({ rule, endpoint, index })),
  );
}

function error(key: KeyPath, message: string): Problem {
  return { severity: "error", key, message };
}

function warning(key: KeyPath, message: string): Problem {
  return { severity: "warning", key, message };
}
