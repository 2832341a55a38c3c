/**
 * What of HTTP is a call to a model: the whole list of requests that inference.local passes, by method and canonical
 * path. SDKs put `/v1` into their base URL (OpenAI's) or into their paths (Anthropic's), and users give either base URL
 * to either, so a path is known without the prefix, with it, and with it twice.
 */
import type { Dialect } from "./dialects.ts";

export type Recognised =
  | { readonly kind: "call"; readonly dialect: Dialect; readonly operation: Operation; readonly pathModel?: string }
  | { readonly kind: "list-models" }
  | { readonly kind: "get-model"; readonly id: string }
  | { readonly kind: "unknown" };

/** The path without its prefix: what backends call it as well. */
export type Operation =
  | "/chat/completions"
  | "/completions"
  | "/responses"
  | "/embeddings"
  | "/messages"
  | "/messages/count_tokens"
  | "/invoke"
  | "/invoke-with-response-stream";

const calls: ReadonlyMap<string, { readonly dialect: Dialect; readonly operation: Operation }> = new Map([
  ["/chat/completions", { dialect: "openai_chat_completions", operation: "/chat/completions" }],
  ["/completions", { dialect: "openai_completions", operation: "/completions" }],
  ["/responses", { dialect: "openai_responses", operation: "/responses" }],
  ["/embeddings", { dialect: "openai_embeddings", operation: "/embeddings" }],
  ["/messages", { dialect: "anthropic_messages", operation: "/messages" }],
  ["/messages/count_tokens", { dialect: "anthropic_messages", operation: "/messages/count_tokens" }],
]);

const versionPrefix = /^(?:\/v1){0,2}(?=\/)/;
/** Model names have slashes (`org/model`), which SDKs escape or not. */
const modelPath = /^\/models\/(.+)$/;
/** One segment that is not empty; a model's name there is escaped where it has to be. */
const bedrockPath = /^\/model\/([^/]+)(\/invoke|\/invoke-with-response-stream)$/;

/** @param path canonical: escapes decoded but for those that would change its meaning */
export function recognise(method: string, path: string): Recognised {
  const bare = path.replace(versionPrefix, "");
  if (method === "POST") {
    const call = calls.get(bare);
    if (call !== undefined) return { kind: "call", ...call };
    const [, pathModel, operation] = bedrockPath.exec(path) ?? [];
    if (pathModel !== undefined) {
      const streams = operation === "/invoke-with-response-stream";
      return {
        kind: "call",
        dialect: "aws_bedrock_invoke",
        operation: streams ? "/invoke-with-response-stream" : "/invoke",
        pathModel: decoded(pathModel),
      };
    }
  }
  if (method === "GET") {
    if (bare === "/models") return { kind: "list-models" };
    const [, id] = modelPath.exec(bare) ?? [];
    if (id !== undefined) return { kind: "get-model", id: decoded(id) };
  }
  return { kind: "unknown" };
}

/** In which dialect to answer a request, known or not. */
export function callersDialect(path: string, hasHeader: (lower: string) => boolean): Dialect {
  const bare = path.replace(versionPrefix, "");
  const call = calls.get(bare);
  if (call !== undefined) return call.dialect;
  if (/^\/model\/[^/]+\/[^/]+$/.test(path)) return "aws_bedrock_invoke";
  if (bare.startsWith("/messages") || hasHeader("anthropic-version")) return "anthropic_messages";
  return bare.startsWith("/responses") ? "openai_responses" : "openai_chat_completions";
}

/** The canonical path keeps the escapes of reserved characters. Malformed ones do not pass there. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
