/** A whole Chat Completions answer ↔ a reply. */
import type { Reply, ReplyPart, StopReason, TokenCounts } from "../conversation.ts";
import { defined } from "../fields.ts";
import { asList, asNumber, asObject, asText, type Json } from "../loose.ts";
import { writeToolCall } from "./request.ts";

export function readReply(json: Json): Reply {
  const choice = asObject(asList(json["choices"])[0]);
  const message = asObject(choice["message"]);
  const text = asText(message["content"]) || asText(message["refusal"]);
  const calls = asList(message["tool_calls"]).map((call): ReplyPart => {
    const { id, function: called } = asObject(call);
    const { name, arguments: args } = asObject(called);
    return { kind: "tool-call", id: asText(id), name: asText(name), arguments: asText(args) };
  });
  return {
    id: asText(json["id"]),
    model: asText(json["model"]),
    parts: [...(text === "" ? [] : [{ kind: "text", text } as const]), ...calls],
    stop: asText(message["refusal"]) === "" ? readStop(choice["finish_reason"]) : "refusal",
    usage: readUsage(json["usage"]),
  };
}

export function readStop(reason: unknown): StopReason {
  switch (reason) {
    case "length":
      return "length";
    case "tool_calls":
    case "function_call":
      return "tool";
    case "content_filter":
      return "refusal";
    default:
      return "end";
  }
}

export function readUsage(usage: unknown): TokenCounts {
  const used = asObject(usage);
  return defined({
    input: asNumber(used["prompt_tokens"]),
    output: asNumber(used["completion_tokens"]),
    cached: asNumber(asObject(used["prompt_tokens_details"])["cached_tokens"]),
    reasoning: asNumber(asObject(used["completion_tokens_details"])["reasoning_tokens"]),
  });
}

export function writeReply(reply: Reply, created: number): object {
  const text = reply.parts.flatMap((part) => (part.kind === "text" ? [part.text] : [])).join("");
  const calls = reply.parts.flatMap((part) => (part.kind === "tool-call" ? [writeToolCall(part)] : []));
  const message = {
    role: "assistant",
    content: text === "" && calls.length > 0 ? null : text,
    refusal: null,
    ...(calls.length > 0 && { tool_calls: calls }),
  };
  return {
    id: reply.id,
    object: "chat.completion",
    created,
    model: reply.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: writeStop(reply.stop) }],
    usage: writeUsage(reply.usage),
  };
}

export function writeStop(stop: StopReason): string {
  const reasons = {
    end: "stop",
    length: "length",
    tool: "tool_calls",
    "stop-sequence": "stop",
    refusal: "content_filter",
  };
  return reasons[stop];
}

export function writeUsage({ input = 0, output = 0, cached = 0, reasoning = 0 }: TokenCounts): object {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached },
    completion_tokens_details: { reasoning_tokens: reasoning },
  };
}
