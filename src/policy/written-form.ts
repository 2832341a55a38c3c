/**
 * Policy → the shape it is written in, without what is default anyway. Printing, hashing and the API's message are all
 * made from it, and `readPolicy` reads it back to an equal policy.
 */
import { defaultInspectedBodyBytes } from "./default-policy.ts";
import type { Endpoint, NetworkMiddleware, NetworkRule, Policy, RequestMatcher } from "./policy.ts";
import type { Json } from "./tree.ts";

export type JsonObject = { readonly [key: string]: Json };

/** Fields may be undefined: they are left out. */
type Draft = { readonly [key: string]: Json | undefined };

/** The whole policy, keys in the order in which people write them. */
export function writtenForm(policy: Policy): JsonObject {
  return compact({
    version: policy.version,
    filesystem_policy: {
      include_workdir: policy.filesystem.includeWorkdir,
      read_only: policy.filesystem.readOnly,
      read_write: policy.filesystem.readWrite,
    },
    landlock: { compatibility: policy.landlock.compatibility },
    process: unlessEmpty(compact({ run_as_user: policy.process.runAsUser, run_as_group: policy.process.runAsGroup })),
    network_policies: fromMap(policy.networkPolicies, writtenRule),
    network_middlewares: unlessEmpty(fromMap(policy.networkMiddlewares, writtenMiddleware)),
  });
}

/** One rule, as it stands under its key in `network_policies`. */
function writtenRule(rule: NetworkRule): JsonObject {
  return compact({
    name: rule.name === rule.key ? undefined : rule.name,
    endpoints: rule.endpoints.map(writtenEndpoint),
    binaries: rule.binaries.map((path) => ({ path })),
  });
}

function writtenEndpoint(endpoint: Endpoint): JsonObject {
  const [port, ...others] = endpoint.ports;
  return compact({
    host: endpoint.host,
    port: others.length === 0 ? port : undefined,
    ports: others.length === 0 ? undefined : endpoint.ports,
    protocol: endpoint.protocol,
    path: endpoint.path === "" ? undefined : endpoint.path,
    tls: endpoint.tls,
    enforcement: endpoint.enforcement === "enforce" ? undefined : endpoint.enforcement,
    access: endpoint.access,
    rules: endpoint.rules?.map((rule) => ({ allow: writtenMatcher(rule) })),
    deny_rules: unlessEmptyList(endpoint.denyRules.map(writtenMatcher)),
    allowed_ips: unlessEmptyList(endpoint.allowedIps),
    allow_encoded_slash: ifSet(endpoint.allowEncodedSlash),
    advisor_proposed: ifSet(endpoint.advisorProposed),
    ...writtenCredentials(endpoint),
    ...writtenBodies(endpoint),
  });
}

function writtenCredentials(endpoint: Endpoint): Draft {
  return {
    websocket_credential_rewrite: ifSet(endpoint.websocketCredentialRewrite),
    request_body_credential_rewrite: ifSet(endpoint.requestBodyCredentialRewrite),
    mask_credentials: ifSet(endpoint.maskCredentials),
    credential_binding: endpoint.credentialBinding && { provider: endpoint.credentialBinding.provider },
    allow_uninspected_credentials: ifSet(endpoint.allowUninspectedCredentials),
    credential_signing: endpoint.credentialSigning,
    signing_service: endpoint.signingService,
    signing_region: endpoint.signingRegion,
  };
}

function writtenBodies(endpoint: Endpoint): Draft {
  const { graphql, mcp } = endpoint;
  return {
    persisted_queries: graphql.persistedQueries === "deny" ? undefined : graphql.persistedQueries,
    graphql_persisted_queries: unlessEmpty(
      fromMap(graphql.registered, (operation) =>
        compact({
          operation_type: operation.operationType,
          operation_name: operation.operationName === "" ? undefined : operation.operationName,
          fields: unlessEmptyList(operation.fields),
        }),
      ),
    ),
    graphql_max_body_bytes: unlessDefaultBody(graphql.maxBodyBytes),
    mcp: unlessEmpty(
      compact({
        max_body_bytes: unlessDefaultBody(mcp.maxBodyBytes),
        strict_tool_names: mcp.strictToolNames ? undefined : false,
        allow_all_known_mcp_methods: ifSet(mcp.allowAllKnownMethods),
      }),
    ),
    json_rpc: unlessEmpty(compact({ max_body_bytes: unlessDefaultBody(endpoint.jsonRpcMaxBodyBytes) })),
  };
}

/** One rule's matcher, without the wrapper of `rules`. */
export function writtenMatcher(matcher: RequestMatcher): JsonObject {
  return compact({
    method: matcher.method,
    path: matcher.path,
    query: matcher.query && fromMap(matcher.query, writtenGlobs),
    operation_type: matcher.operationType,
    operation_name: matcher.operationName,
    fields: matcher.fields,
    tool: matcher.tool && writtenGlobs(matcher.tool),
  });
}

function writtenGlobs(globs: readonly string[]): Json {
  const [only, ...others] = globs;
  return only !== undefined && others.length === 0 ? only : { any: globs };
}

function writtenMiddleware(middleware: NetworkMiddleware, key: string): JsonObject {
  return compact({
    name: middleware.name === key ? undefined : middleware.name,
    middleware: middleware.middleware,
    config: middleware.config as Json,
    on_error: middleware.onError,
    endpoints: compact({ include: middleware.include, exclude: unlessEmptyList(middleware.exclude) }),
    order: middleware.order === 0 ? undefined : middleware.order,
  });
}

function fromMap<T>(map: ReadonlyMap<string, T>, write: (value: T, key: string) => Json): JsonObject {
  return Object.fromEntries(Array.from(map, ([key, value]) => [key, write(value, key)]));
}

function compact(draft: Draft): JsonObject {
  const entries = Object.entries(draft).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return Object.fromEntries(entries);
}

function unlessEmpty(object: JsonObject): JsonObject | undefined {
  return Object.keys(object).length === 0 ? undefined : object;
}

function unlessEmptyList<T extends Json>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

function ifSet(flag: boolean): true | undefined {
  return flag ? true : undefined;
}

function unlessDefaultBody(bytes: number): number | undefined {
  return bytes === defaultInspectedBodyBytes ? undefined : bytes;
}
