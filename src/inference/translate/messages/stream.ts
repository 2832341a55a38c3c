/** The events of Messages ↔ those of a reply. */
import type { ServerSentEvent } from "../../event-stream.ts";
import type { ReplyEvent, StopReason, TokenCounts } from "../conversation.ts";
import { asObject, asText, type Json } from "../loose.ts";
import { namedEvent, type StreamReader, type StreamWriter } from "../stream.ts";
import { readStop, readUsage, writeStop, writeUsage } from "./reply.ts";

export class MessagesStreamReader implements StreamReader {
  read({ data }: ServerSentEvent): readonly ReplyEvent[] {
    const event = asObject(JSON.parse(data));
    switch (event["type"]) {
      case "message_start": {
        const message = asObject(event["message"]);
        return [
          { kind: "start", id: asText(message["id"]), model: asText(message["model"]) },
          { kind: "usage", usage: readUsage(message["usage"]) },
        ];
      }
      case "content_block_start":
        return readBlockStart(asObject(event["content_block"]));
      case "content_block_delta":
        return readDelta(asObject(event["delta"]));
      case "message_delta":
        return [
          { kind: "stop", reason: readStop(asObject(event["delta"])["stop_reason"]) },
          { kind: "usage", usage: readUsage(event["usage"]) },
        ];
      case "message_stop":
        return [{ kind: "end" }];
      case "error":
        return [{ kind: "error", message: asText(asObject(event["error"])["message"]) }];
      default:
        // Pings, ends of blocks, and what newer versions may add.
        return [];
    }
  }
}

function readBlockStart(block: Json): readonly ReplyEvent[] {
  if (block["type"] === "tool_use")
    return [{ kind: "tool-start", id: asText(block["id"]), name: asText(block["name"]) }];
  return block["type"] === "text" && asText(block["text"]) !== ""
    ? [{ kind: "text", text: asText(block["text"]) }]
    : [];
}

function readDelta(delta: Json): readonly ReplyEvent[] {
  if (delta["type"] === "text_delta") return [{ kind: "text", text: asText(delta["text"]) }];
  if (delta["type"] !== "input_json_delta" || asText(delta["partial_json"]) === "") return [];
  return [{ kind: "tool-arguments", text: asText(delta["partial_json"]) }];
}

export class MessagesStreamWriter implements StreamWriter {
  /** The block that is open, and its number; a reply's blocks come one after the other. */
  #open: "text" | "tool" | undefined;
  #index = -1;
  #stop: StopReason = "end";
  #usage: TokenCounts = {};

  write(event: ReplyEvent): string {
    switch (event.kind) {
      case "start":
        return this.#start(event);
      case "text":
        return `${this.#block("text", { type: "text", text: "" })}${this.#delta({ type: "text_delta", text: event.text })}`;
      case "tool-start": {
        const { id, name } = event;
        return `${this.#close()}${this.#block("tool", { type: "tool_use", id, name, input: {} })}`;
      }
      case "tool-arguments":
        return this.#delta({ type: "input_json_delta", partial_json: event.text });
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

  #start({ id, model }: Extract<ReplyEvent, { kind: "start" }>): string {
    const message = {
      id,
      type: "message",
      role: "assistant",
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
    };
    return namedEvent({ type: "message_start", message: { ...message, usage: writeUsage(this.#usage) } } as never);
  }

  /** Opens a block, if it is not the one that is open. */
  #block(kind: "text" | "tool", block: object): string {
    if (kind === this.#open) return "";
    const closed = this.#close();
    this.#open = kind;
    this.#index++;
    return `${closed}${event("content_block_start", { index: this.#index, content_block: block })}`;
  }

  #delta(delta: object): string {
    return event("content_block_delta", { index: this.#index, delta });
  }

  #close(): string {
    if (this.#open === undefined) return "";
    this.#open = undefined;
    return event("content_block_stop", { index: this.#index });
  }

  #end(): string {
    const delta = { stop_reason: writeStop(this.#stop), stop_sequence: null };
    const last = event("message_delta", { delta, usage: writeUsage(this.#usage) });
    return `${this.#close()}${last}${event("message_stop", {})}`;
  }
}

function event(type: string, rest: object): string {
  return namedEvent({ type, ...rest });
}
