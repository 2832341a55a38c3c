/** What each dialect gives for streams: a reader of its events, and a writer of them. */
import type { ServerSentEvent } from "../event-stream.ts";
import type { ReplyEvent } from "./conversation.ts";

export interface StreamReader {
  /** What an event says; nothing for those that only keep the connection alive. */
  read(event: ServerSentEvent): readonly ReplyEvent[];
}

export interface StreamWriter {
  /** The events, as text, that say the same. Never called again after `end` or `error`. */
  write(event: ReplyEvent): string;
}

export interface StreamWriterOptions {
  /** Seconds since the epoch. */
  readonly created: number;
  /** Whether the caller wants to be told what was used. */
  readonly includeUsage: boolean;
}

/** A reply that is longer can't be told whole at its end, as Responses does. */
export const maxReplyCharacters = 16 * 1024 * 1024;

export function dataEvent(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

export function namedEvent(event: { readonly type: string }): string {
  return `event: ${event.type}\n${dataEvent(event)}`;
}
