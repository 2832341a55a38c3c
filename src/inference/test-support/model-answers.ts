/** A model's answer in the words of each API: whole, and as the events of a stream. Facts of the published APIs. */
import type { ModelAnswer, ToolCall } from "./model-backend.ts";

export interface Rendered {
  readonly whole: object;
  readonly events: readonly string[];
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the caller sent
export type Render = (answer: ModelAnswer, request: any) => Rendered;

/** Four of the input's tokens came out of the model's cache, which Anthropic counts apart. */
const usage = { input: 11, cached: 4, output: 7 };

/** By the path behind `/v1`; Google's by what is done with the model, whose name is in the path. */
export const renderers: ReadonlyMap<string, Render> = new Map<string, Render>([
  ["/chat/completions", chatCompletion],
  ["/responses", response],
  ["/messages", message],
  ["/messages/count_tokens", () => ({ whole: { input_tokens: 42 }, events: [] })],
  ["/embeddings", embeddings],
  ["generateContent", generatedContent],
  ["streamGenerateContent", generatedContent],
]);

function chatCompletion(
  answer: ModelAnswer,
  request: { model: string; stream_options?: { include_usage?: boolean } },
): Rendered {
  const base = { id: "chatcmpl-1", created: 1, model: request.model };
  const used = {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: 18,
    prompt_tokens_details: { cached_tokens: usage.cached },
    completion_tokens_details: { reasoning_tokens: 0 },
  };
  const finish = "text" in answer ? "stop" : "tool_calls";
  const calls = callsIn(answer).map((call, index) => ({
    id: `call_${index + 1}`,
    type: "function",
    function: { name: call.tool, arguments: JSON.stringify(call.arguments) },
  }));
  const content = "text" in answer ? answer.text : null;
  const chunk = (delta: object, finishReason: string | null = null) =>
    data({ ...base, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: finishReason }] });
  const deltas =
    content === null
      ? calls.flatMap((call, index) => [
          chunk({ tool_calls: [{ index, ...call, function: { name: call.function.name, arguments: "" } }] }),
          ...halves(call.function.arguments).map((part) =>
            chunk({ tool_calls: [{ index, function: { arguments: part } }] }),
          ),
        ])
      : halves(content).map((part) => chunk({ content: part }));
  return {
    whole: {
      ...base,
      object: "chat.completion",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content, ...(calls.length > 0 && { tool_calls: calls }) },
          finish_reason: finish,
        },
      ],
      usage: used,
    },
    events: [
      chunk({ role: "assistant", content: "" }),
      ...deltas,
      chunk({}, finish),
      ...(request.stream_options?.include_usage
        ? [data({ ...base, object: "chat.completion.chunk", choices: [], usage: used })]
        : []),
      "data: [DONE]\n\n",
    ],
  };
}

function response(answer: ModelAnswer, request: { model: string }): Rendered {
  const used = {
    input_tokens: usage.input,
    input_tokens_details: { cached_tokens: usage.cached },
    output_tokens: usage.output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 18,
  };
  const items =
    "text" in answer
      ? [
          {
            id: "msg_1",
            type: "message",
            role: "assistant",
            status: "completed",
            content: [{ type: "output_text", text: answer.text, annotations: [] }],
          },
        ]
      : callsIn(answer).map((call, index) => ({
          id: `fc_${index + 1}`,
          type: "function_call",
          call_id: `call_${index + 1}`,
          name: call.tool,
          arguments: JSON.stringify(call.arguments),
          status: "completed",
        }));
  const whole = {
    id: "resp_1",
    object: "response",
    created_at: 1,
    model: request.model,
    status: "completed",
    output: items,
    usage: used,
  };
  const begun = { ...whole, status: "in_progress", output: [], usage: null };
  const events = [
    { type: "response.created", response: begun },
    ...items.flatMap((item, index) => itemEvents(item, { output_index: index, item_id: item.id })),
    { type: "response.completed", response: whole },
  ];
  return { whole, events: events.map((event, index) => named({ ...event, sequence_number: index })) };
}

type ResponseItem = {
  readonly id: string;
  readonly content?: readonly { text: string }[];
  readonly arguments?: string;
};

function itemEvents(item: ResponseItem, at: { readonly output_index: number; readonly item_id: string }) {
  const { output_index } = at;
  const text = item.content?.[0]?.text;
  const part = { type: "output_text", text: "", annotations: [] };
  const deltas =
    text === undefined
      ? [
          ...halves(item.arguments ?? "").map((delta) => ({
            type: "response.function_call_arguments.delta",
            ...at,
            delta,
          })),
          { type: "response.function_call_arguments.done", ...at, arguments: item.arguments },
        ]
      : [
          { type: "response.content_part.added", ...at, content_index: 0, part },
          ...halves(text).map((delta) => ({ type: "response.output_text.delta", ...at, content_index: 0, delta })),
          { type: "response.output_text.done", ...at, content_index: 0, text },
        ];
  const empty = text === undefined ? { ...item, arguments: "" } : { ...item, content: [] };
  return [
    { type: "response.output_item.added", output_index, item: { ...empty, status: "in_progress" } },
    ...deltas,
    { type: "response.output_item.done", output_index, item },
  ];
}

function message(answer: ModelAnswer, request: { model: string }): Rendered {
  const blocks =
    "text" in answer
      ? [{ type: "text", text: answer.text }]
      : callsIn(answer).map((call, index) => ({
          type: "tool_use",
          id: `toolu_${index + 1}`,
          name: call.tool,
          input: call.arguments,
        }));
  const stopReason = "text" in answer ? "end_turn" : "tool_use";
  const base = { id: "msg_1", type: "message", role: "assistant", model: request.model };
  const used = {
    input_tokens: usage.input - usage.cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: usage.cached,
    output_tokens: usage.output,
  };
  const whole = { ...base, content: blocks, stop_reason: stopReason, stop_sequence: null, usage: used };
  const events = [
    {
      type: "message_start",
      message: { ...whole, content: [], stop_reason: null, usage: { ...used, output_tokens: 1 } },
    },
    ...blocks.flatMap((block, index) => [
      {
        type: "content_block_start",
        index,
        content_block: "text" in block ? { ...block, text: "" } : { ...block, input: {} },
      },
      ...("text" in block
        ? halves(block.text).map((part) => ({ type: "text_delta", text: part }))
        : halves(JSON.stringify(block.input)).map((part) => ({ type: "input_json_delta", partial_json: part }))
      ).map((delta) => ({ type: "content_block_delta", index, delta })),
      { type: "content_block_stop", index },
    ]),
    {
      type: "message_delta",
      delta: { stop_reason: stopReason, stop_sequence: null },
      usage: { output_tokens: usage.output },
    },
    { type: "message_stop" },
  ];
  return { whole, events: events.map(named) };
}

/** Google's: each event of a stream is an answer of its own. */
function generatedContent(answer: ModelAnswer, request: { model: string }): Rendered {
  const used = { promptTokenCount: usage.input, candidatesTokenCount: usage.output, totalTokenCount: 18 };
  const say = (parts: readonly object[], finishReason?: string) => ({
    candidates: [{ index: 0, content: { role: "model", parts }, ...(finishReason && { finishReason }) }],
    usageMetadata: used,
    modelVersion: request.model,
    responseId: "r1",
  });
  if (!("text" in answer)) {
    const calls = callsIn(answer).map((call) => ({ functionCall: { name: call.tool, args: call.arguments } }));
    const whole = say(calls, "STOP");
    return { whole, events: [data(whole)] };
  }
  const events = [...halves(answer.text).map((text) => say([{ text }])), say([{ text: "" }], "STOP")];
  return { whole: say([{ text: answer.text }], "STOP"), events: events.map(data) };
}

function embeddings(_: ModelAnswer, request: { model: string }): Rendered {
  const whole = {
    object: "list",
    model: request.model,
    data: [{ object: "embedding", index: 0, embedding: [0.5, -0.5] }],
    usage: { prompt_tokens: usage.input, total_tokens: usage.input },
  };
  return { whole, events: [] };
}

function callsIn(answer: ModelAnswer): readonly ToolCall[] {
  if ("calls" in answer) return answer.calls;
  return "tool" in answer ? [answer] : [];
}

function data(event: object): string {
  return `data: ${JSON.stringify(event)}\n\n`;
}

function named(event: { readonly type: string; readonly sequence_number?: number }): string {
  return `event: ${event.type}\n${data(event)}`;
}

function halves(words: string): readonly string[] {
  const middle = Math.ceil(words.length / 2);
  return [words.slice(0, middle), words.slice(middle)].filter((part) => part !== "");
}
