/**
 * The policy's fields as they are written: names, shapes, ranges. What fields mean together is checked in lint.ts, what
 * is filled in when they are absent in normalize.ts.
 */
import {
  anything,
  flag,
  integer,
  listOf,
  mapOf,
  oneOf,
  record,
  scalarOr,
  text,
  textOrNumber,
  type ValueOf,
} from "./readers.ts";

/** Bodies are held in memory while they are inspected, for every connection at once. */
const largestInspectedBody = 16 * 1024 * 1024;
const largestOrder = 2 ** 31 - 1;

const globs = scalarOr(text, record({ any: listOf(text), glob: text }));
const bodyLimit = integer(1, largestInspectedBody);

const matcher = record({
  method: text,
  path: text,
  query: mapOf(globs),
  operation_type: text,
  operation_name: text,
  fields: listOf(text),
  tool: globs,
  params: record({ name: globs }),
});

const endpoint = record({
  host: text,
  port: integer(1, 65_535),
  ports: listOf(integer(1, 65_535)),
  protocol: oneOf("rest", "websocket", "graphql", "json-rpc", "mcp", "tcp"),
  path: text,
  tls: oneOf("skip", "terminate", "passthrough"),
  enforcement: oneOf("enforce", "audit"),
  access: oneOf("read-only", "read-write", "full"),
  rules: listOf(record({ allow: matcher }, ["allow"])),
  deny_rules: listOf(matcher),
  allowed_ips: listOf(text),
  allow_encoded_slash: flag,
  websocket_credential_rewrite: flag,
  request_body_credential_rewrite: flag,
  mask_credentials: flag,
  credential_binding: record({ provider: text }, ["provider"]),
  allow_uninspected_credentials: flag,
  credential_signing: oneOf("sigv4", "sigv4:body", "sigv4:no_body"),
  signing_service: text,
  signing_region: text,
  persisted_queries: oneOf("deny", "allow_registered"),
  graphql_persisted_queries: mapOf(
    record({ operation_type: oneOf("query", "mutation", "subscription"), operation_name: text, fields: listOf(text) }, [
      "operation_type",
    ]),
  ),
  graphql_max_body_bytes: bodyLimit,
  mcp: record({ max_body_bytes: bodyLimit, strict_tool_names: flag, allow_all_known_mcp_methods: flag }),
  json_rpc: record({ max_body_bytes: bodyLimit }),
  advisor_proposed: flag,
});

const networkRule = record(
  { name: text, endpoints: listOf(endpoint), binaries: listOf(record({ path: text }, ["path"])) },
  ["endpoints"],
);

const middleware = record(
  {
    name: text,
    middleware: text,
    config: anything,
    on_error: oneOf("fail_closed", "fail_open"),
    endpoints: record({ include: listOf(text), exclude: listOf(text) }, ["include"]),
    order: integer(-largestOrder, largestOrder),
  },
  ["middleware", "endpoints"],
);

const filesystem = record({ include_workdir: flag, read_only: listOf(text), read_write: listOf(text) });

/** Reads a whole policy; the value is only good if nothing was reported. */
export const policySchema = record(
  {
    version: integer(1, 1),
    filesystem_policy: filesystem,
    /** The published alias. */
    filesystem,
    landlock: record({ compatibility: oneOf("best_effort", "hard_requirement") }),
    process: record({ run_as_user: textOrNumber, run_as_group: textOrNumber }),
    network_policies: mapOf(networkRule),
    network_middlewares: mapOf(middleware),
  },
  ["version"],
);

export type WrittenPolicy = ValueOf<typeof policySchema>;
export type WrittenRule = ValueOf<typeof networkRule>;
export type WrittenEndpoint = ValueOf<typeof endpoint>;
export type WrittenMatcher = ValueOf<typeof matcher>;
export type WrittenGlobs = ValueOf<typeof globs>;
export type WrittenMiddleware = ValueOf<typeof middleware>;
