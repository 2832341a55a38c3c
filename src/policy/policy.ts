/**
 * The policy as a value: what `parse.ts` makes of YAML and `wire.ts` of the API's message. Normalised (defaults filled
 * in, `port` folded into `ports`), frozen, and the only form that anything downstream sees.
 */

export interface Policy {
  readonly version: 1;
  readonly filesystem: FilesystemPolicy;
  readonly landlock: { readonly compatibility: LandlockCompatibility };
  readonly process: ProcessPolicy;
  /** In the order written; the map's key is the rule's identity. */
  readonly networkPolicies: ReadonlyMap<string, NetworkRule>;
  readonly networkMiddlewares: ReadonlyMap<string, NetworkMiddleware>;
}

export type LandlockCompatibility = "best_effort" | "hard_requirement";

export interface FilesystemPolicy {
  /** Whether the working directory (`/sandbox`) is writable even if not listed. */
  readonly includeWorkdir: boolean;
  /** Absolute paths, no `..`. */
  readonly readOnly: readonly string[];
  readonly readWrite: readonly string[];
}

export interface ProcessPolicy {
  readonly runAsUser?: string;
  readonly runAsGroup?: string;
}

export interface NetworkRule {
  readonly key: string;
  /** For logs; the key unless the file gives another. */
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  /** Exact paths, globs, or the word `any`. */
  readonly binaries: readonly string[];
}

export type EndpointProtocol = "rest" | "websocket" | "graphql" | "json-rpc" | "mcp" | "tcp";
export type AccessPreset = "read-only" | "read-write" | "full";
export type Enforcement = "enforce" | "audit";

export interface Endpoint {
  /** Canonical pattern (see match/host.ts); absent only with `allowedIps`. */
  readonly host?: string;
  readonly ports: readonly number[];
  /** Absent: layer 4 only. */
  readonly protocol?: EndpointProtocol;
  /** Glob that chooses among inspected endpoints on the same host and port; empty: all paths. */
  readonly path: string;
  /** `skip`: never terminated. `terminate` and `passthrough` are accepted and have no effect. */
  readonly tls?: "skip" | "terminate" | "passthrough";
  readonly enforcement: Enforcement;
  readonly access?: AccessPreset;
  /** Allow rules; absent when `access` or nothing is given. */
  readonly rules?: readonly RequestMatcher[];
  readonly denyRules: readonly RequestMatcher[];
  readonly allowedIps: readonly string[];
  readonly allowEncodedSlash: boolean;
  readonly websocketCredentialRewrite: boolean;
  readonly requestBodyCredentialRewrite: boolean;
  /** Secrets that the upstream echoes are taken out of its responses, which must be short enough for that. */
  readonly maskCredentials: boolean;
  readonly credentialBinding?: { readonly provider: string };
  readonly allowUninspectedCredentials: boolean;
  readonly credentialSigning?: "sigv4" | "sigv4:body" | "sigv4:no_body";
  readonly signingService?: string;
  readonly signingRegion?: string;
  readonly graphql: GraphqlOptions;
  readonly mcp: McpOptions;
  readonly jsonRpcMaxBodyBytes: number;
  /** Set on endpoints that came from a proposal; private addresses then need `allowedIps`. */
  readonly advisorProposed: boolean;
}

export interface GraphqlOptions {
  readonly persistedQueries: "deny" | "allow_registered";
  readonly registered: ReadonlyMap<string, GraphqlOperation>;
  readonly maxBodyBytes: number;
}

export interface GraphqlOperation {
  readonly operationType: string;
  readonly operationName: string;
  readonly fields: readonly string[];
}

export interface McpOptions {
  readonly maxBodyBytes: number;
  readonly strictToolNames: boolean;
  readonly allowAllKnownMethods: boolean;
}

/** One condition on a request. An absent field matches anything; which fields may be given depends on the protocol. */
export interface RequestMatcher {
  readonly method?: string;
  readonly path?: string;
  /** Decoded parameter name → globs, of which each value must match one. */
  readonly query?: ReadonlyMap<string, readonly string[]>;
  readonly operationType?: string;
  readonly operationName?: string;
  readonly fields?: readonly string[];
  /** MCP: tool globs (the wire's `params.name`). */
  readonly tool?: readonly string[];
}

export interface NetworkMiddleware {
  readonly name: string;
  readonly middleware: string;
  readonly config: unknown;
  readonly onError: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly order: number;
}
