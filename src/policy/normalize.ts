/**
 * Written → meant: fills in defaults, folds two spellings of one thing into one, makes hosts and addresses canonical.
 * What can't be given a meaning is reported; what has a meaning that can't be wanted is left to lint.ts.
 */
import { parseCidr } from "../net/address-class.ts";
import { defaultFilesystem, defaultInspectedBodyBytes } from "./default-policy.ts";
import { parseHostPattern } from "./match/host.ts";
import type { Endpoint, EndpointProtocol, NetworkMiddleware, NetworkRule, Policy, RequestMatcher } from "./policy.ts";
import type { KeyPath, Problem } from "./problem.ts";
import type {
  WrittenEndpoint,
  WrittenGlobs,
  WrittenMatcher,
  WrittenMiddleware,
  WrittenPolicy,
  WrittenRule,
} from "./schema.ts";

/** Where in the policy something stands, and where to say that it is wrong. */
interface Site {
  readonly key: KeyPath;
  readonly problems: Problem[];
}

/** Makes a policy of what was written. It must not be used if `problems` got an error. */
export function normalizePolicy(written: WrittenPolicy, problems: Problem[]): Policy {
  const site: Site = { key: [], problems };
  if (written.filesystem !== undefined && written.filesystem_policy !== undefined) {
    report(at(site, "filesystem"), "is the same as `filesystem_policy`; give one of them");
  }
  return frozen<Policy>({
    version: 1,
    filesystem: normalizeFilesystem(written.filesystem_policy ?? written.filesystem),
    landlock: { compatibility: written.landlock?.compatibility ?? "best_effort" },
    process: present({ runAsUser: written.process?.run_as_user, runAsGroup: written.process?.run_as_group }),
    networkPolicies: mapValues(written.network_policies, (rule, key) =>
      normalizeRule(rule, key, at(site, "network_policies", key)),
    ),
    networkMiddlewares: mapValues(written.network_middlewares, normalizeMiddleware),
  });
}

function normalizeFilesystem(written: WrittenPolicy["filesystem"]): Policy["filesystem"] {
  // A section that is written is taken as it is: whoever lists paths does not expect others.
  if (written === undefined) return defaultFilesystem;
  return {
    includeWorkdir: written.include_workdir ?? false,
    readOnly: (written.read_only ?? []).map(plainPath),
    readWrite: (written.read_write ?? []).map(plainPath),
  };
}

/** Without doubled and trailing slashes, so that `/tmp/` and `/tmp` are one path. */
function plainPath(path: string): string {
  return path.replace(/\/{2,}/g, "/").replace(/(?<=.)\/$/, "");
}

function normalizeRule(written: WrittenRule, key: string, site: Site): NetworkRule {
  return {
    key,
    name: written.name === undefined || written.name === "" ? key : written.name,
    endpoints: (written.endpoints ?? []).map((endpoint, index) =>
      normalizeEndpoint(endpoint, at(site, "endpoints", index)),
    ),
    binaries: (written.binaries ?? []).map(({ path }) => path ?? ""),
  };
}

function normalizeEndpoint(written: WrittenEndpoint, site: Site): Endpoint {
  const protocol = written.protocol ?? impliedProtocol(written);
  const rules = nonEmpty(written.rules, at(site, "rules"), "use `access: full` or remove `rules`");
  return {
    ...present({ host: normalizeHost(written.host, at(site, "host")) }),
    ports: normalizePorts(written, site),
    path: written.path ?? "",
    enforcement: written.enforcement ?? "enforce",
    ...present({ protocol, tls: written.tls, access: written.access }),
    ...present({
      rules: rules?.map(({ allow }, index) =>
        normalizeMatcher(allow ?? {}, { site: at(site, "rules", index, "allow"), protocol: written.protocol }),
      ),
    }),
    denyRules: (nonEmpty(written.deny_rules, at(site, "deny_rules"), "remove it if nothing is denied") ?? []).map(
      (rule, index) => normalizeMatcher(rule, { site: at(site, "deny_rules", index), protocol: written.protocol }),
    ),
    allowedIps: (written.allowed_ips ?? []).map((text, index) => normalizeCidr(text, at(site, "allowed_ips", index))),
    allowEncodedSlash: written.allow_encoded_slash ?? false,
    advisorProposed: written.advisor_proposed ?? false,
    ...normalizeCredentials(written),
    ...normalizeBodies(written),
  };
}

/**
 * Whoever writes `access: read-only` and no protocol, as the short form of `policy update` invites to, means HTTP, and
 * means it to be held to; passing every byte would be the opposite.
 */
function impliedProtocol({ access, tls }: WrittenEndpoint): EndpointProtocol | undefined {
  return (access === "read-only" || access === "read-write") && tls !== "skip" ? "rest" : undefined;
}

function normalizeCredentials(written: WrittenEndpoint) {
  const provider = written.credential_binding?.provider;
  return {
    websocketCredentialRewrite: written.websocket_credential_rewrite ?? false,
    requestBodyCredentialRewrite: written.request_body_credential_rewrite ?? false,
    maskCredentials: written.mask_credentials ?? false,
    allowUninspectedCredentials: written.allow_uninspected_credentials ?? false,
    ...present({
      credentialBinding: provider === undefined ? undefined : { provider },
      credentialSigning: written.credential_signing,
      signingService: written.signing_service,
      signingRegion: written.signing_region,
    }),
  };
}

function normalizeBodies(written: WrittenEndpoint): Pick<Endpoint, "graphql" | "mcp" | "jsonRpcMaxBodyBytes"> {
  return {
    graphql: {
      persistedQueries: written.persisted_queries ?? "deny",
      registered: mapValues(written.graphql_persisted_queries, (operation) => ({
        operationType: operation.operation_type ?? "",
        operationName: operation.operation_name ?? "",
        fields: operation.fields ?? [],
      })),
      maxBodyBytes: written.graphql_max_body_bytes ?? defaultInspectedBodyBytes,
    },
    mcp: {
      maxBodyBytes: written.mcp?.max_body_bytes ?? defaultInspectedBodyBytes,
      strictToolNames: written.mcp?.strict_tool_names ?? true,
      allowAllKnownMethods: written.mcp?.allow_all_known_mcp_methods ?? false,
    },
    jsonRpcMaxBodyBytes: written.json_rpc?.max_body_bytes ?? defaultInspectedBodyBytes,
  };
}

function normalizeHost(written: string | undefined, site: Site): string | undefined {
  if (written === undefined || written === "") return undefined;
  const parsed = parseHostPattern(written);
  return parsed.ok ? parsed.pattern : report(site, parsed.why);
}

function normalizePorts(written: WrittenEndpoint, site: Site): number[] {
  const ports = new Set(written.port === undefined ? [] : [written.port]);
  for (const port of written.ports ?? []) ports.add(port);
  if (ports.size === 0) report(site, "`port` or `ports` is missing");
  return Array.from(ports);
}

function normalizeCidr(text: string, site: Site): string {
  const cidr = parseCidr(text);
  if (cidr === undefined) return report(site, "must be an address or a block such as 10.0.0.0/8") ?? text;
  return cidr.text.replace(/\/32$/, cidr.family === 4 ? "" : "/32").replace(/\/128$/, "");
}

function normalizeMatcher(
  written: WrittenMatcher,
  context: { readonly site: Site; readonly protocol: EndpointProtocol | undefined },
): RequestMatcher {
  if (written.tool !== undefined && written.params?.name !== undefined) {
    report(at(context.site, "params"), "`params.name` is the same as `tool`; give one of them");
  }
  const tool = written.tool ?? written.params?.name;
  // HTTP methods are case-sensitive and upper case; the methods of JSON-RPC and MCP are names like any other.
  const isRpc = context.protocol === "mcp" || context.protocol === "json-rpc";
  return present({
    method: isRpc ? written.method : written.method?.toUpperCase(),
    path: written.path,
    query:
      written.query && mapValues(written.query, (globs, name) => readGlobs(globs, at(context.site, "query", name))),
    operationType: written.operation_type,
    operationName: written.operation_name,
    fields: written.fields,
    tool: tool === undefined ? undefined : readGlobs(tool, at(context.site, "tool")),
  });
}

function readGlobs(written: WrittenGlobs, site: Site): readonly string[] {
  if (typeof written === "string") return [written];
  const globs = [...(written.glob === undefined ? [] : [written.glob]), ...(written.any ?? [])];
  if (globs.length === 0) report(site, "must be a glob, or `any` with a list of them");
  return globs;
}

function normalizeMiddleware(written: WrittenMiddleware, key: string): NetworkMiddleware {
  return {
    name: written.name === undefined || written.name === "" ? key : written.name,
    middleware: written.middleware ?? "",
    config: written.config ?? {},
    onError: written.on_error ?? "fail_closed",
    include: written.endpoints?.include ?? [],
    exclude: written.endpoints?.exclude ?? [],
    order: written.order ?? 0,
  };
}

function nonEmpty<T>(list: readonly T[] | undefined, site: Site, remedy: string): readonly T[] | undefined {
  if (list !== undefined && list.length === 0) report(site, `is an empty list; ${remedy}`);
  return list;
}

function at(site: Site, ...parts: KeyPath): Site {
  return { key: [...site.key, ...parts], problems: site.problems };
}

function report(site: Site, message: string): undefined {
  site.problems.push({ severity: "error", key: site.key, message });
}

function mapValues<A, B>(
  map: ReadonlyMap<string, A> | undefined,
  change: (value: A, key: string) => B,
): Map<string, B> {
  return new Map(Array.from(map ?? [], ([key, value]) => [key, change(value, key)]));
}

type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Without the fields that are undefined: absent and undefined differ to `deepEqual` and to `in`. */
function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
}

/** Frozen through and through: one policy is shared by all connections, and by revisions that are compared. */
function frozen<T>(value: T): T {
  if (value === null || typeof value !== "object" || Object.isFrozen(value)) return value;
  const parts: Iterable<unknown> = value instanceof Map ? value.values() : Object.values(value);
  for (const part of parts) frozen(part);
  return Object.freeze(value);
}
