/**
 * The routes that a supervisor is given, and their form on its link to the gateway. The gateway resolves: a route here has
 * its provider's address and credential in it, and nothing is left to be looked up. The whole set is replaced at once;
 * a call that is under way keeps the route that it began with.
 *
 * Secrets are in this form on the link and in memory only, never in an argument, an environment or a file.
 */

import type { AwsKey } from "../aws/sigv4.ts";
import type {
  AwsSigningJson,
  CallBudgetJson,
  CallTimeoutsJson,
  ModelRouteJson,
  ModelRoutesJson,
} from "../gen/openshell/v1/supervisor_pb.ts";
import { Secret } from "../secrets/secret.ts";
import { type Dialect, isDialect } from "./dialects.ts";

export interface ModelRoutes {
  /** Grows with each change. */
  readonly revision: number;
  readonly routes: readonly ModelRoute[];
  /** What all calls of the sandbox may use together. */
  readonly budget: CallBudget;
}

export interface ModelRoute {
  /** Unique in the set; a caller may ask for it as if it were a model. */
  readonly name: string;
  /** Globs of the models, as callers name them, that take this route: `gpt-4*`. The first route that matches is taken. */
  readonly aliases: readonly string[];
  /** Takes what no name and no alias takes; at most one of the set. */
  readonly isDefault: boolean;
  /** OpenShell's own (`sandbox-system`): no caller in the sandbox reaches it. */
  readonly isSystem: boolean;
  /** For the record. */
  readonly providerName: string;
  /** A name of the table in provider-types.ts: how the credential is shown, which headers pass. */
  readonly providerType: string;
  /** What the backend speaks, the preferred first; never empty. Calls in other dialects are translated if they can be. */
  readonly dialects: readonly Dialect[];
  /**
   * As the provider's SDK is given it: `https://api.openai.com/v1`, `https://api.anthropic.com`, `http://host:11434/v1`.
   * May be http and may be a private address: it is the operator's word. `/v1` is added only where there is no path
   * (OpenAI's dialects) or the path does not end in it (Anthropic's).
   */
  readonly baseUrl: string;
  /** What the backend calls the model. */
  readonly model: string;
  readonly credential?: Secret;
  /** Calls are signed for AWS, in place of a credential. */
  readonly aws?: AwsSigning;
  /** Added to each request; replaces what the caller sent under the same name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeouts: CallTimeouts;
  /** Names of routes that are tried in this order when this one fails before its first byte. */
  readonly fallbacks: readonly string[];
  /** How often the same backend is asked again on a connect error, 429 or 5xx, before its first byte. */
  readonly retries: number;
  readonly budget: CallBudget;
}

export interface AwsSigning {
  readonly key: AwsKey;
  readonly region: string;
}

/** Milliseconds. */
export interface CallTimeouts {
  readonly connect: number;
  /** From the request's last byte to the response's first. */
  readonly firstByte: number;
  /** Between two pieces of a response. */
  readonly idle: number;
  /** For the whole of a call that is not streamed, and up to the first byte of one that is. */
  readonly total: number;
}

/** What may be used in a minute; absent: as much as there is. */
export interface CallBudget {
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
}

export const noRoutes: ModelRoutes = { revision: 0, routes: [], budget: {} };

/** What a route has whose timeouts are not set; 0 means the same. */
export const defaultTimeouts: CallTimeouts = { connect: 10_000, firstByte: 60_000, idle: 120_000, total: 60_000 };

/** For the link. The only place besides a request's head where credentials are revealed. */
export function modelRoutesToJson({ revision, routes, budget }: ModelRoutes): ModelRoutesJson {
  return { revision, routes: routes.map(routeToJson), budget };
}

/**
 * From the link. The gateway is of the same version, so that the form is trusted; what this supervisor can't follow is
 * still a mistake that must not turn into a call to somewhere.
 * @throws Error for a dialect that does not exist, without naming a secret
 */
export function modelRoutesFromJson(json: ModelRoutesJson): ModelRoutes {
  return {
    revision: json.revision ?? 0,
    routes: (json.routes ?? []).map(routeFromJson),
    budget: budgetFromJson(json.budget),
  };
}

function routeToJson({ credential, aws, timeouts, ...route }: ModelRoute): ModelRouteJson {
  const { connect: connectMs, firstByte: firstByteMs, idle: idleMs, total: totalMs } = timeouts;
  return {
    ...route,
    aliases: [...route.aliases],
    dialects: [...route.dialects],
    fallbacks: [...route.fallbacks],
    timeouts: { connectMs, firstByteMs, idleMs, totalMs },
    ...(credential && { credential: credential.reveal() }),
    ...(aws && { aws: awsToJson(aws) }),
  };
}

function routeFromJson(json: ModelRouteJson): ModelRoute {
  const { name = "", dialects = [], credential = "" } = json;
  const unknown = dialects.find((dialect) => !isDialect(dialect));
  if (unknown !== undefined || dialects.length === 0) {
    throw new Error(`the route ${name} has no dialect that is known: ${unknown ?? "none is given"}`);
  }
  return {
    name,
    aliases: json.aliases ?? [],
    isDefault: json.isDefault ?? false,
    isSystem: json.isSystem ?? false,
    providerName: json.providerName ?? "",
    providerType: json.providerType ?? "",
    dialects: dialects.filter(isDialect),
    baseUrl: json.baseUrl ?? "",
    model: json.model ?? "",
    ...(credential !== "" && { credential: new Secret(credential) }),
    ...(json.aws && { aws: awsFromJson(json.aws) }),
    headers: json.headers ?? {},
    timeouts: timeoutsFromJson(json.timeouts),
    fallbacks: json.fallbacks ?? [],
    retries: json.retries ?? 0,
    budget: budgetFromJson(json.budget),
  };
}

function awsToJson({ key, region }: AwsSigning): AwsSigningJson {
  const { accessKeyId, secretAccessKey, sessionToken } = key;
  return {
    accessKeyId: accessKeyId.reveal(),
    secretAccessKey: secretAccessKey.reveal(),
    region,
    ...(sessionToken && { sessionToken: sessionToken.reveal() }),
  };
}

function awsFromJson({
  accessKeyId = "",
  secretAccessKey = "",
  sessionToken,
  region = "",
}: AwsSigningJson): AwsSigning {
  const key = {
    accessKeyId: new Secret(accessKeyId),
    secretAccessKey: new Secret(secretAccessKey),
    ...(sessionToken && { sessionToken: new Secret(sessionToken) }),
  };
  return { key, region };
}

function timeoutsFromJson({ connectMs, firstByteMs, idleMs, totalMs }: CallTimeoutsJson = {}): CallTimeouts {
  return {
    connect: connectMs || defaultTimeouts.connect,
    firstByte: firstByteMs || defaultTimeouts.firstByte,
    idle: idleMs || defaultTimeouts.idle,
    total: totalMs || defaultTimeouts.total,
  };
}

function budgetFromJson({ requestsPerMinute, tokensPerMinute }: CallBudgetJson = {}): CallBudget {
  return { ...(requestsPerMinute && { requestsPerMinute }), ...(tokensPerMinute && { tokensPerMinute }) };
}
