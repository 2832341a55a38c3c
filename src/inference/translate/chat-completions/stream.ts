/** The events of Chat Completions ↔ those of a reply. */
import type { ServerSentEvent } from "../../event-stream.ts";
import type { ReplyEvent, StopReason, TokenCounts } from "../conversation.ts";
import { asList, asNumber, asObject, asText, type Json } from "../loose.ts";
import { dataEvent, type StreamReader, type StreamWriter, type StreamWriterOptions } from "../stream.ts";
import { readStop, readUsage, writeStop, writeUsage } from "./reply.ts";

export class ChatStreamReader implements StreamReader {
  #isStarted = false;
  #call = -1;

  read({ data }: ServerSentEvent): readonly ReplyEvent[] {
    if (data.trim() === "[DONE]") return [{ kind: "end" }];
    const chunk: Json = asObject(JSON.parse(data));
    if (chunk["error"] !== undefined) {
      return [{ kind: "error", message: asText(asObject(chunk["error"])["message"]) }];
    }
    const events: ReplyEvent[] = [];
    if (!this.#isStarted) {
      this.#isStarted = true;
      events.push({ kind: "start", id: asText(chunk["id"]), model: asText(chunk["model"]) });
    }
    const choice = asObject(asList(chunk["choices"])[0]);
    const delta = asObject(choice["delta"]);
    const text = asText(delta["content"]) || asText(delta["refusal"]);
    if (text !== "") events.push({ kind: "text", text });
    for (const call of asList(delta["tool_calls"])) events.push(...this.#readCall(asObject(call)));
    if (typeof choice["finish_reason"] === "string")
      events.push({ kind: "stop", reason: readStop(choice["finish_reason"]) });
    if (typeof chunk["usage"] === "object" && chunk["usage"] !== null) {
      events.push({ kind: "usage", usage: readUsage(chunk["usage"]) });
    }
    return events;
  }

  #readCall(call: Json): readonly ReplyEvent[] {
    const { name, arguments: args } = asObject(call["function"]);
    // Some backends leave the number out where there is one call only.
    const index = asNumber(call["index"]) ?? Math.max(0, this.#call);
    const events: ReplyEvent[] = [];
    if (index > this.#call) {
      this.#call = index;
      events.push({ kind: "tool-start", id: asText(call["id"]), name: asText(name) });
    } else if (index < this.#call) {
      return [{ kind: "error", message: "two tool calls at the same time can't be translated" }];
    }
    if (asText(args) !== "") events.push({ kind: "tool-arguments", text: asText(args) });
    return events;
  }
}

export class ChatStreamWriter implements StreamWriter {
  readonly #options: StreamWriterOptions;
  #head: Json = {};
  #call = -1;
  #stop: StopReason = "end";
  #usage: TokenCounts = {};

  constructor(options: StreamWriterOptions) {
    this.#options = options;
  }

  write(event: ReplyEvent): string {
    switch (event.kind) {
      case "start":
        this.#head = {
          id: event.id,
          object: "chat.completion.chunk",
          created: this.#options.created,
          model: event.model,
        };
        return this.#chunk({ role: "assistant", content: "" });
      case "text":
        return this.#chunk({ content: event.text });
      case "tool-start": {
        this.#call++;
        const called = { name: event.name, arguments: "" };
        return this.#chunk({ tool_calls: [{ index: this.#call, id: event.id, type: "function", function: called }] });
      }
      case "tool-arguments":
        return this.#chunk({ tool_calls: [{ index: this.#call, function: { arguments: event.text } }] });
      case "usage":
        this.#usage = { ...this.#usage, ...event.usage };
        return "";
      case "stop":
        this.#stop = event.reason;
        return "";
      case "end":
        return this.#end();
      case "error":
        return "";
      default:
        return event satisfies never;
    }
  }

  #end(): string {
    const usage = { ...this.#head, choices: [], usage: writeUsage(this.#usage) };
    const last = this.#chunk({}, writeStop(this.#stop));
    return `${last}${this.#options.includeUsage ? dataEvent(usage) : ""}data: [DONE]\n\n`;
  }

  #chunk(delta: object, finishReason: string | null = null): string {
    return dataEvent({ ...this.#head, choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }] });
  }
}
