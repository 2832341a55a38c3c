/**
 * Claude as clouds serve it: Messages, but with the model and the way to answer in the path, and the version in the body. Which
 * betas are on is set up in the cloud; both turn calls down that ask for one they do not know, so that none is passed on.
 */
import type { Call } from "./backend-request.ts";
import { type CallBody, withMembers } from "./call-body.ts";
import type { ModelRoute } from "./routes.ts";

interface HostedRequest {
  readonly url: URL;
  readonly body: Buffer;
}

/** The call as the route's cloud takes it; undefined where it is no cloud's, or is not Messages. */
export function hostedClaude(call: Call, route: ModelRoute): HostedRequest | undefined {
  if (call.dialect !== "anthropic_messages") return undefined;
  const base = new URL(route.baseUrl);
  switch (route.providerType) {
    case "google-vertex-ai":
      return { url: below(base, vertexPath(call, route)), body: vertexBody(call, route) };
    case "aws-bedrock":
      return { url: below(base, bedrockPath(call.body, route)), body: bedrockBody(call.body) };
    default:
      return undefined;
  }
}

/** What the route's cloud can't be asked for; undefined where there is nothing in the way. */
export function notHosted({ dialect, operation }: Call, { providerType }: ModelRoute): string | undefined {
  const isCounting = dialect === "anthropic_messages" && operation === "/messages/count_tokens";
  return isCounting && providerType === "aws-bedrock" ? "Bedrock counts no tokens in this dialect" : undefined;
}

function vertexPath({ operation, body }: Call, { model }: ModelRoute): string {
  const models = "/publishers/anthropic/models";
  if (operation === "/messages/count_tokens") return `${models}/count-tokens:rawPredict`;
  return `${models}/${encodeURIComponent(model)}:${body.stream ? "streamRawPredict" : "rawPredict"}`;
}

function vertexBody({ operation, body }: Call, { model }: ModelRoute): Buffer {
  const version = { anthropic_version: "vertex-2023-10-16" };
  // Counting is a model of its own in the path, so that the one whose tokens are meant is in the body.
  return withMembers(body, ["model"], operation === "/messages/count_tokens" ? { ...version, model } : version);
}

function bedrockPath({ stream }: CallBody, { model }: ModelRoute): string {
  return `/model/${encodeURIComponent(model)}/${stream ? "invoke-with-response-stream" : "invoke"}`;
}

function bedrockBody(body: CallBody): Buffer {
  return withMembers(body, ["model", "stream"], { anthropic_version: "bedrock-2023-05-31" });
}

function below(base: URL, path: string): URL {
  const url = new URL(base);
  url.pathname = base.pathname.replace(/\/+$/, "") + path;
  return url;
}
