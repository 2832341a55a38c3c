/**
 * The changes of `policy update`, from what is typed to the API's merge operations.
 */
import type { PolicyMergeOperationJson } from "../../gen/openshell/v1/policy_pb.ts";
import type { Meaning, ValueParser } from "./flag.ts";

interface Target {
  readonly host: string;
  readonly port: number;
}

export interface EndpointToAdd extends Target {
  readonly access?: string;
  readonly protocol?: string;
  readonly enforcement?: string;
}

export interface RequestRule extends Target {
  readonly method: string;
  readonly path: string;
}

/** `host:port[:access[:protocol[:enforcement]]]`; an IPv6 address stands in brackets. */
export const endpointToAdd: ValueParser<EndpointToAdd> = (typed) => {
  const split = splitTarget(typed);
  if (!split || split.rest.length > 3) {
    return { ok: false, problem: `must be HOST:PORT[:ACCESS[:PROTOCOL[:ENFORCEMENT]]], not "${typed}"` };
  }
  const [access, protocol, enforcement] = split.rest;
  return {
    ok: true,
    value: {
      ...split.target,
      ...(access && { access }),
      ...(protocol && { protocol }),
      ...(enforcement && { enforcement }),
    },
  };
};

/** `host:port`. */
export const endpointToRemove: ValueParser<Target> = (typed) => {
  const split = splitTarget(typed);
  if (!split || split.rest.length > 0) return { ok: false, problem: `must be HOST:PORT, not "${typed}"` };
  return { ok: true, value: split.target };
};

/** `host:port:METHOD:path`; the path may itself contain colons. */
export const requestRule: ValueParser<RequestRule> = (typed): Meaning<RequestRule> => {
  const split = splitTarget(typed);
  const [method, ...path] = split?.rest ?? [];
  if (!split || !method || path.length === 0)
    return { ok: false, problem: `must be HOST:PORT:METHOD:PATH, not "${typed}"` };
  return { ok: true, value: { ...split.target, method: method.toUpperCase(), path: path.join(":") } };
};

function splitTarget(typed: string): { target: Target; rest: string[] } | undefined {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]]+):(\d{1,5})(?::(.*))?$/s.exec(typed);
  const [, written = "", port = ""] = match ?? [];
  if (!match || Number(port) < 1 || Number(port) > 65_535) return undefined;
  // Policies write an IPv6 address without its brackets.
  const host = written.replace(/^\[|\]$/g, "");
  return { target: { host, port: Number(port) }, rest: match[3] === undefined ? [] : match[3].split(":") };
}

export interface Changes {
  readonly addEndpoints: readonly EndpointToAdd[];
  readonly removeEndpoints: readonly Target[];
  readonly addAllow: readonly RequestRule[];
  readonly addDeny: readonly RequestRule[];
  readonly removeRules: readonly string[];
  readonly binaries: readonly string[];
  readonly ruleName?: string;
}

/**
 * In the order removals, additions, so that one update can replace an endpoint. Rules for a destination that is added
 * by the same changes belong to the added endpoint alone: those that other programs have there stay as they are.
 */
export function mergeOperations(changes: Changes): PolicyMergeOperationJson[] {
  const isElsewhere = (rule: RequestRule) => !changes.addEndpoints.some((added) => isSameTarget(added, rule));
  return [
    ...changes.removeRules.map((ruleName) => ({ removeRule: { ruleName } })),
    ...changes.removeEndpoints.map(({ host, port }) => ({ removeEndpoint: { host, port } })),
    ...changes.addEndpoints.map((endpoint) => addRule(endpoint, changes)),
    ...changes.addAllow.filter(isElsewhere).map(({ host, port, method, path }) => ({
      addAllowRules: { host, port, rules: [{ allow: { method, path } }] },
    })),
    ...changes.addDeny.filter(isElsewhere).map(({ host, port, method, path }) => ({
      addDenyRules: { host, port, denyRules: [{ method, path }] },
    })),
  ];
}

function isSameTarget(one: Target, other: Target): boolean {
  return one.host.toLowerCase() === other.host.toLowerCase() && one.port === other.port;
}

function addRule(added: EndpointToAdd, { binaries, ruleName, ...changes }: Changes): PolicyMergeOperationJson {
  const { host, port, ...rest } = added;
  const name = ruleName ?? `${host}_${port}`.replace(/[^A-Za-z0-9]+/g, "_").replace(/^_+|_+$/g, "");
  const matchers = (rules: readonly RequestRule[]) =>
    rules.filter((rule) => isSameTarget(rule, added)).map(({ method, path }) => ({ method, path }));
  const endpoint = {
    host,
    port,
    ports: [port],
    ...rest,
    rules: matchers(changes.addAllow).map((allow) => ({ allow })),
    denyRules: matchers(changes.addDeny),
  };
  const rule = { name, endpoints: [endpoint], binaries: binaries.map((path) => ({ path })) };
  return { addRule: { ruleName: name, rule } };
}
