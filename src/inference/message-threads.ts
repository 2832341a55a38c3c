/**
 * Message threads: Anthropic's own API keeps a conversation between calls (`thread`), and gets what is new alone. No cloud
 * does, and no other API. The tool runners of Anthropic's SDKs begin with one, and go on without it where they are told in
 * the API's words that it can't be had.
 */
import type { Call } from "./backend-request.ts";
import { hostedClaude } from "./hosted-claude.ts";
import type { ModelRoute } from "./routes.ts";

/** Whether the call wants a thread, and the route's backend keeps none. */
export function lacksThreads(call: Call, route: ModelRoute): boolean {
  const { thread } = call.body.json;
  if (call.dialect !== "anthropic_messages" || thread === undefined || thread === null) return false;
  return !route.dialects.includes("anthropic_messages") || hostedClaude(call, route) !== undefined;
}
