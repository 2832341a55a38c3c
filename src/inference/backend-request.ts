/**
 * A caller's call → the request that the backend gets: address, headers and body. Everything that goes out is put in here
 * by name; of the caller's headers and query only what the tables list, so that no credential of its own, however
 * spelled, can pass.
 */
import { sha256, signedFields } from "../aws/sigv4.ts";
import { type CallBody, withModel } from "./call-body.ts";
import type { Dialect } from "./dialects.ts";
import { hostedClaude } from "./hosted-claude.ts";
import { inferenceProviderType, type ProviderType } from "./provider-types.ts";
import type { Operation } from "./recognise.ts";
import type { AwsSigning, ModelRoute } from "./routes.ts";

export interface Call {
  readonly dialect: Dialect;
  readonly operation: Operation;
  /** Values of the caller's header fields, by name in lower case. */
  readonly header: (lower: string) => string | undefined;
  /** Decoded parameters. */
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly body: CallBody;
}

export interface BackendRequest {
  readonly url: URL;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** A type that is not in the table is one of another version's, or somebody's own: an OpenAI-compatible one. */
const unknownType: ProviderType = {
  baseUrlVariables: [],
  dialects: [],
  credentialHeader: "authorization",
  credentialOptional: true,
  passedHeaders: [],
  defaultHeaders: {},
};

/**
 * @param now milliseconds since the epoch: signatures say when they were made
 * @throws TypeError if the route's base URL is none, or its credential can't be sent
 */
export function backendRequest(call: Call, route: ModelRoute, now: number): BackendRequest {
  const hosted = hostedClaude(call, route);
  const { url, body } = hosted ?? { url: backendUrl(call, route), body: backendBody(call, route) };
  // A cloud takes nothing of Messages' own headers.
  const plain = { url, body, headers: headers(hosted ? nothingSaid : call, route) };
  return route.aws === undefined ? plain : signed(plain, route.aws, now);
}

const nothingSaid: Pick<Call, "header"> = { header: () => undefined };

function signed({ url, body, headers }: BackendRequest, aws: AwsSigning, now: number): BackendRequest {
  const request = {
    method: "POST",
    target: `${url.pathname}${url.search}`,
    host: url.host,
    fields: headers.map(([name, value]) => ({ name, lower: name, value })),
    payloadHash: sha256(body),
    region: aws.region,
    service: "bedrock",
    now,
  };
  return { url, body, headers: signedFields(request, aws.key).map(({ lower, value }) => [lower, value] as const) };
}

function backendBody({ dialect, body }: Call, route: ModelRoute): Buffer {
  // Bedrock has the model in its path.
  if (dialect === "aws_bedrock_invoke" || body.model === route.model) return body.bytes;
  return withModel(body, route.model);
}

function backendUrl({ dialect, operation, query }: Call, route: ModelRoute): URL {
  const url = new URL(route.baseUrl);
  const base = url.pathname.replace(/\/+$/, "");
  switch (dialect) {
    case "anthropic_messages":
      url.pathname = `${base.endsWith("/v1") ? base : `${base}/v1`}${operation}`;
      // The only parameter that the SDK sends.
      if (query.some(([name, value]) => name === "beta" && value === "true")) url.searchParams.set("beta", "true");
      return url;
    case "aws_bedrock_invoke":
      url.pathname = `${base}/model/${encodeURIComponent(route.model)}${operation}`;
      return url;
    case "openai_chat_completions":
    case "openai_completions":
    case "openai_responses":
    case "openai_embeddings":
      url.pathname = `${vertexOpenAi(route) ? `${base}/endpoints/openapi` : base === "" ? "/v1" : base}${operation}`;
      return url;
    default:
      return dialect satisfies never;
  }
}

/** Vertex's base URL is a project's place: `…/v1/projects/P/locations/L`. */
function vertexOpenAi(route: ModelRoute): boolean {
  return route.providerType === "google-vertex-ai" && !/\/openapi\/*$/.test(route.baseUrl);
}

function headers({ header }: Pick<Call, "header">, route: ModelRoute): BackendRequest["headers"] {
  const type = inferenceProviderType(route.providerType) ?? unknownType;
  const all = new Map<string, string>([
    ["content-type", "application/json"],
    // Answers are read in passing, and error events put behind them: both want them as they are.
    ["accept-encoding", "identity"],
    ["user-agent", "openshell"],
    ...Object.entries(type.defaultHeaders),
  ]);
  for (const name of ["accept", ...type.passedHeaders]) {
    const value = header(name);
    if (value !== undefined) all.set(name, value);
  }
  for (const [name, value] of Object.entries(route.headers)) all.set(name.toLowerCase(), value);
  if (route.credential) {
    const secret = route.credential.reveal();
    // A line break, as from a file that was read with its last one, would end the header.
    if (!/^[\x21-\x7e]+$/.test(secret)) throw new TypeError(`the credential of ${route.name} can't be in a header`);
    all.set(type.credentialHeader, type.credentialHeader === "authorization" ? `Bearer ${secret}` : secret);
  }
  return [...all];
}
