/** A whole Messages answer ↔ a reply. */
import type { Reply, ReplyPart, StopReason, TokenCounts } from "../conversation.ts";
import { defined } from "../fields.ts";
import { asList, asNumber, asObject, asText, type Json } from "../loose.ts";
import { toolInput } from "./request.ts";

export function readReply(json: Json): Reply {
  return {
    id: asText(json["id"]),
    model: asText(json["model"]),
    parts: asList(json["content"]).flatMap((block) => readBlock(asObject(block))),
    stop: readStop(json["stop_reason"]),
    usage: readUsage(json["usage"]),
  };
}

/** Thoughts are left out: no other dialect has a place for them. */
function readBlock(block: Json): readonly ReplyPart[] {
  if (block["type"] === "text") return [{ kind: "text", text: asText(block["text"]) }];
  if (block["type"] !== "tool_use") return [];
  const input = JSON.stringify(asObject(block["input"]));
  return [{ kind: "tool-call", id: asText(block["id"]), name: asText(block["name"]), arguments: input }];
}

export function readStop(reason: unknown): StopReason {
  switch (reason) {
    case "max_tokens":
    case "model_context_window_exceeded":
      return "length";
    case "tool_use":
      return "tool";
    case "stop_sequence":
      return "stop-sequence";
    case "refusal":
      return "refusal";
    default:
      return "end";
  }
}

/** What came out of the cache, or went into it, is input as well. */
export function readUsage(usage: unknown): TokenCounts {
  const used = asObject(usage);
  const parts = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"].map((name) =>
    asNumber(used[name]),
  );
  const known = parts.filter((part) => part !== undefined);
  return defined({
    input: known.length > 0 ? known.reduce((sum, part) => sum + part, 0) : undefined,
    output: asNumber(used["output_tokens"]),
    cached: asNumber(used["cache_read_input_tokens"]),
  });
}

export function writeReply(reply: Reply): object {
  return {
    id: reply.id,
    type: "message",
    role: "assistant",
    model: reply.model,
    content: reply.parts.map(writePart),
    stop_reason: writeStop(reply.stop),
    stop_sequence: null,
    usage: writeUsage(reply.usage),
  };
}

function writePart(part: ReplyPart): object {
  if (part.kind === "text") return { type: "text", text: part.text };
  return { type: "tool_use", id: part.id, name: part.name, input: toolInput(part.arguments) };
}

export function writeStop(stop: StopReason): string {
  const reasons = {
    end: "end_turn",
    length: "max_tokens",
    tool: "tool_use",
    "stop-sequence": "stop_sequence",
    refusal: "refusal",
  };
  return reasons[stop];
}

export function writeUsage({ input = 0, output = 0, cached = 0 }: TokenCounts): object {
  return {
    input_tokens: Math.max(0, input - cached),
    output_tokens: output,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
  };
}
