/** A model's answer in the words of each API: whole, and as the events of a stream. Facts of the published APIs. */
import type { ModelAnswer } from "./model-backend.ts";

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
  const call =
    "text" in answer
      ? undefined
      : {
          id: "call_1",
          type: "function",
          function: { name: answer.tool, arguments: JSON.stringify(answer.arguments) },
        };
  const content = "text" in answer ? answer.text : null;
  const chunk = (delta: object, finishReason: string | null = null) =>
    data({ ...base, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: finishReason }] });
  const deltas = call
    ? [
        chunk({ tool_calls: [{ index: 0, ...call, function: { name: call.function.name, arguments: "" } }] }),
        ...halves(call.function.arguments).map((part) =>
          chunk({ tool_calls: [{ index: 0, function: { arguments: part } }] }),
        ),
      ]
    : halves(content ?? "").map((part) => chunk({ content: part }));
  return {
    whole: {
      ...base,
      object: "chat.completion",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content, ...(call && { tool_calls: [call] }) },
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
  const item =
    "text" in answer
      ? {
          id: "msg_1",
          type: "message",
          role: "assistant",
          status: "completed",
          content: [{ type: "output_text", text: answer.text, annotations: [] }],
        }
      : {
          id: "fc_1",
          type: "function_call",
          call_id: "call_1",
          name: answer.tool,
          arguments: JSON.stringify(answer.arguments),
          status: "completed",
        };
  const whole = {
    id: "resp_1",
    object: "response",
    created_at: 1,
    model: request.model,
    status: "completed",
    output: [item],
    usage: used,
  };
  const begun = { ...whole, status: "in_progress", output: [], usage: null };
  const at = { output_index: 0, item_id: item.id };
  const deltas =
    "text" in answer
      ? [
          {
            type: "response.content_part.added",
            ...at,
            content_index: 0,
            part: { type: "output_text", text: "", annotations: [] },
          },
          ...halves(answer.text).map((delta) => ({
            type: "response.output_text.delta",
            ...at,
            content_index: 0,
            delta,
          })),
          { type: "response.output_text.done", ...at, content_index: 0, text: answer.text },
        ]
      : [
          ...halves(JSON.stringify(answer.arguments)).map((delta) => ({
            type: "response.function_call_arguments.delta",
            ...at,
            delta,
          })),
          { type: "response.function_call_arguments.done", ...at, arguments: JSON.stringify(answer.arguments) },
        ];
  const empty = "text" in answer ? { ...item, content: [] } : { ...item, arguments: "" };
  const events = [
    { type: "response.created", response: begun },
    { type: "response.output_item.added", output_index: 0, item: { ...empty, status: "in_progress" } },
    ...deltas,
    { type: "response.output_item.done", output_index: 0, item },
    { type: "response.completed", response: whole },
  ];
  return { whole, events: events.map((event, index) => named({ ...event, sequence_number: index })) };
}

function message(answer: ModelAnswer, request: { model: string }): Rendered {
  const block =
    "text" in answer
      ? { type: "text", text: answer.text }
      : { type: "tool_use", id: "toolu_1", name: answer.tool, input: answer.arguments };
  const stopReason = "text" in answer ? "end_turn" : "tool_use";
  const base = { id: "msg_1", type: "message", role: "assistant", model: request.model };
  const used = {
    input_tokens: usage.input - usage.cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: usage.cached,
    output_tokens: usage.output,
  };
  const whole = { ...base, content: [block], stop_reason: stopReason, stop_sequence: null, usage: used };
  const deltas =
    "text" in answer
      ? halves(answer.text).map((part) => ({ type: "text_delta", text: part }))
      : halves(JSON.stringify(answer.arguments)).map((part) => ({ type: "input_json_delta", partial_json: part }));
  const empty = "text" in answer ? { type: "text", text: "" } : { ...block, input: {} };
  const events = [
    {
      type: "message_start",
      message: { ...whole, content: [], stop_reason: null, usage: { ...used, output_tokens: 1 } },
    },
    { type: "content_block_start", index: 0, content_block: empty },
    ...deltas.map((delta) => ({ type: "content_block_delta", index: 0, delta })),
    { type: "content_block_stop", index: 0 },
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
  const say = (part: object, finishReason?: string) => ({
    candidates: [{ index: 0, content: { role: "model", parts: [part] }, ...(finishReason && { finishReason }) }],
    usageMetadata: used,
    modelVersion: request.model,
    responseId: "r1",
  });
  if ("tool" in answer) {
    const whole = say({ functionCall: { name: answer.tool, args: answer.arguments } }, "STOP");
    return { whole, events: [data(whole)] };
  }
  const events = [...halves(answer.text).map((text) => say({ text })), say({ text: "" }, "STOP")];
  return { whole: say({ text: answer.text }, "STOP"), events: events.map(data) };
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
