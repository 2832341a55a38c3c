/** The events of Responses ↔ those of a reply. */
import type { ServerSentEvent } from "../../event-stream.ts";
import type { ReplyEvent, ReplyPart, StopReason, TokenCounts, ToolCallPart } from "../conversation.ts";
import { asObject, asText, type Json } from "../loose.ts";
import {
  maxReplyCharacters,
  namedEvent,
  type StreamReader,
  type StreamWriter,
  type StreamWriterOptions,
} from "../stream.ts";
import { itemId, readStop, readUsage, responseHead, writeItem, writeResponse } from "./reply.ts";

export class ResponsesStreamReader implements StreamReader {
  #hasCalls = false;

  read({ data }: ServerSentEvent): readonly ReplyEvent[] {
    const event = asObject(JSON.parse(data));
    const response = asObject(event["response"]);
    switch (event["type"]) {
      case "response.created":
        return [{ kind: "start", id: asText(response["id"]), model: asText(response["model"]) }];
      case "response.output_item.added":
        return this.#readItem(asObject(event["item"]));
      case "response.output_text.delta":
      case "response.refusal.delta":
        return [{ kind: "text", text: asText(event["delta"]) }];
      case "response.function_call_arguments.delta":
        return [{ kind: "tool-arguments", text: asText(event["delta"]) }];
      case "response.completed":
      case "response.incomplete":
        return [
          { kind: "stop", reason: readStop(response, this.#hasCalls) },
          { kind: "usage", usage: readUsage(response["usage"]) },
          { kind: "end" },
        ];
      case "response.failed":
        return [{ kind: "error", message: asText(asObject(response["error"])["message"]) }];
      case "error":
        return [{ kind: "error", message: asText(event["message"]) }];
      default:
        // Ends of parts that were told piece by piece, thoughts, and what newer versions may add.
        return [];
    }
  }

  #readItem(item: Json): readonly ReplyEvent[] {
    if (item["type"] !== "function_call") return [];
    this.#hasCalls = true;
    return [{ kind: "tool-start", id: asText(item["call_id"]), name: asText(item["name"]) }];
  }
}

export class ResponsesStreamWriter implements StreamWriter {
  readonly #options: StreamWriterOptions;
  readonly #items: object[] = [];
  #head: { readonly id: string; readonly model: string } = { id: "", model: "" };
  /** The part that is being told; its whole is said again when it ends. */
  #part: ReplyPart | undefined;
  #characters = 0;
  #sequence = 0;
  #stop: StopReason = "end";
  #usage: TokenCounts = {};

  constructor(options: StreamWriterOptions) {
    this.#options = options;
  }

  write(event: ReplyEvent): string {
    switch (event.kind) {
      case "start": {
        this.#head = { id: event.id, model: event.model };
        const response = responseHead({ ...this.#head, created: this.#options.created });
        return `${this.#event("response.created", { response })}${this.#event("response.in_progress", { response })}`;
      }
      case "text":
        return this.#text(event.text);
      case "tool-start":
        return `${this.#close()}${this.#open({ kind: "tool-call", id: event.id, name: event.name, arguments: "" })}`;
      case "tool-arguments":
        return this.#arguments(event.text);
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

  #text(text: string): string {
    const opened = this.#part?.kind === "text" ? "" : `${this.#close()}${this.#open({ kind: "text", text: "" })}`;
    if (this.#part?.kind === "text") this.#part = { kind: "text", text: this.#grown(this.#part.text, text) };
    return `${opened}${this.#event("response.output_text.delta", { ...this.#place(), content_index: 0, delta: text, logprobs: [] })}`;
  }

  #arguments(text: string): string {
    if (this.#part?.kind !== "tool-call") return "";
    this.#part = { ...this.#part, arguments: this.#grown(this.#part.arguments, text) };
    return this.#event("response.function_call_arguments.delta", { ...this.#place(), delta: text });
  }

  #open(part: ReplyPart): string {
    this.#part = part;
    const { output_index, item_id } = this.#place();
    const item = { ...writeItem(part, item_id), status: "in_progress" };
    if (part.kind === "tool-call") return this.#event("response.output_item.added", { output_index, item });
    const empty = { type: "output_text", text: "", annotations: [], logprobs: [] };
    const added = this.#event("response.output_item.added", { output_index, item: { ...item, content: [] } });
    return `${added}${this.#event("response.content_part.added", { ...this.#place(), content_index: 0, part: empty })}`;
  }

  #close(): string {
    const part = this.#part;
    if (part === undefined) return "";
    const place = this.#place();
    const item = writeItem(part, place.item_id);
    const told = part.kind === "text" ? this.#textDone(part.text) : this.#argumentsDone(part);
    this.#items.push(item);
    this.#part = undefined;
    return `${told}${this.#event("response.output_item.done", { output_index: place.output_index, item })}`;
  }

  #textDone(text: string): string {
    const at = { ...this.#place(), content_index: 0 };
    const part = { type: "output_text", text, annotations: [], logprobs: [] };
    return `${this.#event("response.output_text.done", { ...at, text, logprobs: [] })}${this.#event("response.content_part.done", { ...at, part })}`;
  }

  #argumentsDone({ name, arguments: text }: ToolCallPart): string {
    return this.#event("response.function_call_arguments.done", { ...this.#place(), name, arguments: text });
  }

  #end(): string {
    const closed = this.#close();
    const isWhole = this.#stop !== "length" && this.#stop !== "refusal";
    const { created } = this.#options;
    const response = writeResponse({
      ...this.#head,
      stop: this.#stop,
      usage: this.#usage,
      created,
      items: this.#items,
    });
    return `${closed}${this.#event(isWhole ? "response.completed" : "response.incomplete", { response })}`;
  }

  #place(): { readonly output_index: number; readonly item_id: string } {
    return { output_index: this.#items.length, item_id: itemId(this.#head.id, this.#items.length) };
  }

  #grown(text: string, more: string): string {
    this.#characters += more.length;
    if (this.#characters > maxReplyCharacters) throw new RangeError("the reply is too long");
    return text + more;
  }

  #event(type: string, rest: object): string {
    return namedEvent({ type, sequence_number: this.#sequence++, ...rest } as { readonly type: string });
  }
}
