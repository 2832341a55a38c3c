/** A whole Responses answer ↔ a reply. */
import type { Reply, ReplyPart, StopReason, TokenCounts } from "../conversation.ts";
import { defined } from "../fields.ts";
import { asList, asNumber, asObject, asText, type Json } from "../loose.ts";

export function readReply(json: Json): Reply {
  const parts = asList(json["output"]).flatMap((item) => readItem(asObject(item)));
  return {
    id: asText(json["id"]),
    model: asText(json["model"]),
    parts,
    stop: readStop(
      json,
      parts.some(({ kind }) => kind === "tool-call"),
    ),
    usage: readUsage(json["usage"]),
  };
}

function readItem(item: Json): readonly ReplyPart[] {
  if (item["type"] === "function_call") {
    const { call_id: id, name, arguments: args } = item;
    return [{ kind: "tool-call", id: asText(id), name: asText(name), arguments: asText(args) }];
  }
  if (item["type"] !== "message") return [];
  return asList(item["content"]).map((part) => {
    const { text, refusal } = asObject(part);
    return { kind: "text", text: asText(text) || asText(refusal) };
  });
}

/** A response does not say why it stopped, unless it is incomplete. */
export function readStop(response: Json, hasCalls: boolean): StopReason {
  if (response["status"] === "incomplete") {
    return asObject(response["incomplete_details"])["reason"] === "content_filter" ? "refusal" : "length";
  }
  return hasCalls ? "tool" : "end";
}

export function readUsage(usage: unknown): TokenCounts {
  const used = asObject(usage);
  return defined({
    input: asNumber(used["input_tokens"]),
    output: asNumber(used["output_tokens"]),
    cached: asNumber(asObject(used["input_tokens_details"])["cached_tokens"]),
    reasoning: asNumber(asObject(used["output_tokens_details"])["reasoning_tokens"]),
  });
}

export function writeReply(reply: Reply, created: number): object {
  return writeResponse({
    ...reply,
    created,
    items: reply.parts.map((part, index) => writeItem(part, itemId(reply.id, index))),
  });
}

/** A response that is over: as the whole answer, and as the last event of a stream. */
export function writeResponse(
  response: Omit<Reply, "parts"> & { readonly created: number; readonly items: readonly object[] },
): object {
  const { id, model, stop, usage, created, items } = response;
  const isIncomplete = stop === "length" || stop === "refusal";
  const reason = stop === "length" ? "max_output_tokens" : "content_filter";
  return {
    ...responseHead({ id, model, created }),
    status: isIncomplete ? "incomplete" : "completed",
    incomplete_details: isIncomplete ? { reason } : null,
    output: items,
    usage: writeUsage(usage),
  };
}

/** What a response says from its beginning. */
export function responseHead({
  id,
  model,
  created,
}: {
  readonly id: string;
  readonly model: string;
  readonly created: number;
}): object {
  return {
    id,
    object: "response",
    created_at: created,
    status: "in_progress",
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    model,
    output: [],
    parallel_tool_calls: true,
    temperature: null,
    tool_choice: "auto",
    tools: [],
    top_p: null,
    usage: null,
  };
}

/** Items have names of their own, which other dialects do not give them. */
export function itemId(responseId: string, index: number): string {
  return `${responseId}_${index}`;
}

export function writeItem(part: ReplyPart, id: string): object {
  if (part.kind === "text") {
    const content = [{ type: "output_text", text: part.text, annotations: [], logprobs: [] }];
    return { id, type: "message", role: "assistant", status: "completed", content };
  }
  const { id: callId, name, arguments: text } = part;
  return { id, type: "function_call", call_id: callId, name, arguments: text, status: "completed" };
}

function writeUsage({ input = 0, output = 0, cached = 0, reasoning = 0 }: TokenCounts): object {
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  };
}
