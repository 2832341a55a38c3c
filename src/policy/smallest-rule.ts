/**
 * The smallest rule about one question. What asks is untrusted: a program at `/tmp/*`, a request with the method `*`, or
 * a call of the tool `*` must not end up as a wildcard in a rule that somebody approves.
 */

import type { Question } from "./ask.ts";
import type { Endpoint } from "./policy.ts";
import { nearestQueryRule, type QueryTest } from "./query-conditions.ts";
import type { GraphqlRequest, RequestFacts, RpcMessage } from "./verdict.ts";
import { websocketText } from "./websocket-text.ts";

/** A policy's part with one rule, as it is written. Types and not interfaces, which TypeScript keeps from being `Json`. */
export type Suggestion = { readonly network_policies: { readonly [key: string]: SuggestedRule } };

export type SuggestedRule = {
  readonly endpoints: readonly [SuggestedEndpoint];
  readonly binaries: readonly [{ readonly path: string }];
};

export type SuggestedEndpoint = {
  readonly host: string;
  readonly port: number;
  readonly protocol?: "rest" | "websocket" | "graphql" | "json-rpc" | "mcp";
  readonly path?: string;
  readonly access?: "read-only";
  readonly rules?: readonly { readonly allow: SuggestedMatcher }[];
  readonly allow_encoded_slash?: true;
};

export type SuggestedMatcher =
  | { readonly method: string; readonly path: string; readonly query?: SuggestedQuery }
  | { readonly operation_type: string; readonly fields: readonly string[] }
  | { readonly method: string; readonly tool?: string };

export type SuggestedQuery = { readonly [parameter: string]: string | { readonly any: readonly string[] } };

/** The rule; undefined where none could be about this question alone. `asked` are the endpoints that it was put to. */
export function smallestRule(question: Question, asked: readonly Endpoint[]): SuggestedRule | undefined {
  const { caller, destination } = question;
  const inspection = caller.path.includes("*") ? undefined : smallestInspection(question, asked);
  if (inspection === undefined) return undefined;
  const { host, port } = destination;
  return { endpoints: [{ host, port, ...inspection }], binaries: [{ path: caller.path }] };
}

type Inspection = Omit<SuggestedEndpoint, "host" | "port">;

/** Ports on which HTTP is spoken, bare or in TLS, and next to nothing else. */
const webPorts: ReadonlySet<number> = new Set([80, 443]);

function smallestInspection(question: Question, asked: readonly Endpoint[]): Inspection | undefined {
  const { destination, request, isPrivate } = question;
  if (request !== undefined && !/^[A-Z_-]+$/.test(request.method)) return undefined;
  // The connection is allowed already; what may be asked on it, the rule that allows it says.
  if (isPrivate) return {};
  if (request?.graphql !== undefined) return graphqlInspection(request, request.graphql);
  if (request?.rpc !== undefined) return rpcInspection(request, request.rpc, asked);
  if (request !== undefined) return httpInspection(request, asked);
  // What will be asked is not known yet. Reading is what nearly every program begins with, and the least that helps.
  return webPorts.has(destination.port) ? { protocol: "rest", access: "read-only" } : {};
}

function httpInspection(request: RequestFacts, asked: readonly Endpoint[]): Inspection {
  const path = literalPath(request);
  // Who opens a WebSocket means to talk on it; the upgrade alone would only bring the next denial.
  const isUpgrade = request.upgrade !== undefined && request.method !== websocketText;
  const methods = isUpgrade ? [request.method, websocketText] : [request.method];
  return {
    protocol: request.upgrade === undefined ? "rest" : "websocket",
    rules: methods.map((method) => ({ allow: { method, path, ...smallestQuery({ ...request, method }, asked) } })),
    ...slashes(request),
  };
}

/**
 * Where a rule was refused by its query alone, its conditions that held stay, in the globs of the policy. A parameter with
 * another value may have any: a value may be a secret, and the next one differs. What the request lacks is not asked for.
 */
function smallestQuery(request: RequestFacts, asked: readonly Endpoint[]): { readonly query?: SuggestedQuery } {
  const [tests = []] = asked.flatMap((endpoint) => {
    const nearest = nearestQueryRule(endpoint, request);
    return nearest === undefined ? [] : [nearest];
  });
  const present = new Set(request.query.map(([name]) => name));
  const kept = tests.filter(({ parameter }) => present.has(parameter));
  if (kept.length === 0) return {};
  return { query: Object.fromEntries(kept.map((test) => [test.parameter, globsFor(test)])) };
}

function globsFor({ holds, globs: [first = "*", ...others] }: QueryTest): SuggestedQuery[string] {
  if (!holds) return "*";
  return others.length === 0 ? first : { any: [first, ...others] };
}

/** Not by name, which the agent chooses anew for each operation, but by what the operation does. */
function graphqlInspection(request: RequestFacts, operations: readonly GraphqlRequest[]): Inspection | undefined {
  const rules: { allow: SuggestedMatcher }[] = [];
  for (const operation of operations) {
    // What is behind an id, nobody here can know.
    if ("persisted" in operation) return undefined;
    rules.push({ allow: { operation_type: operation.operationType, fields: operation.fields } });
  }
  return { protocol: "graphql", path: literalPath(request), rules, ...slashes(request) };
}

function rpcInspection(
  request: RequestFacts,
  messages: readonly RpcMessage[],
  asked: readonly Endpoint[],
): Inspection | undefined {
  const isMcp = asked.some(({ protocol }) => protocol === "mcp");
  const rules: { allow: SuggestedMatcher }[] = [];
  for (const message of messages) {
    if (message.kind === "response") continue;
    const { method, tool } = message;
    if (/[*?[]/.test(method + (tool ?? ""))) return undefined;
    rules.push({ allow: isMcp && tool !== undefined ? { method, tool } : { method } });
  }
  return { protocol: isMcp ? "mcp" : "json-rpc", path: literalPath(request), rules, ...slashes(request) };
}

/** A star in a path is a character; in a glob it would be the widest wildcard there is. */
function literalPath({ path }: RequestFacts): string {
  return path.replaceAll("*", "[*]");
}

function slashes({ hasEncodedSlash }: RequestFacts): Pick<SuggestedEndpoint, "allow_encoded_slash"> {
  return hasEncodedSlash ? { allow_encoded_slash: true } : {};
}
