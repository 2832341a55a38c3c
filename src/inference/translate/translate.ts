/**
 * Between the dialects: a call that its route's backend does not speak becomes one that it does, and the answer becomes
 * the caller's again, whole or event by event.
 */
import type { Call } from "../backend-request.ts";
import { readCallBody } from "../call-body.ts";
import type { Dialect } from "../dialects.ts";
import { EventStreamReader } from "../event-stream.ts";
import type { Operation } from "../recognise.ts";
import type { ModelRoute } from "../routes.ts";
import * as chatReply from "./chat-completions/reply.ts";
import * as chatRequest from "./chat-completions/request.ts";
import { ChatStreamReader, ChatStreamWriter } from "./chat-completions/stream.ts";
import { type Conversation, type Reply, type ReplyEvent, Untranslatable } from "./conversation.ts";
import { asObject, type Json } from "./loose.ts";
import * as messagesReply from "./messages/reply.ts";
import * as messagesRequest from "./messages/request.ts";
import { MessagesStreamReader, MessagesStreamWriter } from "./messages/stream.ts";
import * as responsesReply from "./responses/reply.ts";
import * as responsesRequest from "./responses/request.ts";
import { ResponsesStreamReader, ResponsesStreamWriter } from "./responses/stream.ts";
import { maxReplyCharacters, type StreamReader, type StreamWriter, type StreamWriterOptions } from "./stream.ts";

/** A call in the backend's dialect, and the way back. */
export interface Translation {
  readonly call: Call;
  /** The whole answer in the caller's dialect. */
  answer(body: Buffer): string | Untranslated;
  /** For an answer in events. */
  stream(): StreamTranslation;
}

/** Why there is no translation; names what can't be said. */
export interface Untranslated {
  readonly untranslatable: string;
}

export interface StreamTranslation {
  /** Takes the next piece; gives the caller's events, as text, or why the stream can't go on. */
  push(piece: Buffer): string | Untranslated;
  /** To be called when the backend has said all; gives the last events, or that the reply has not come to its end. */
  end(): string | Untranslated;
}

interface Spoken {
  readonly operation: Operation;
  readRequest(json: unknown): Conversation;
  writeRequest(conversation: Conversation, route: ModelRoute): object;
  readReply(json: Json): Reply;
  writeReply(reply: Reply, created: number): object;
  reader(): StreamReader;
  writer(options: StreamWriterOptions): StreamWriter;
}

/** The dialects that can be translated; what a route prefers among them is in its own order. */
const spoken: ReadonlyMap<Dialect, Spoken> = new Map<Dialect, Spoken>([
  [
    "openai_chat_completions",
    {
      operation: "/chat/completions",
      ...chatRequest,
      ...chatReply,
      writeRequest: (conversation, { model, providerType }) => {
        const tokenLimit = providerType === "openai" ? "max_completion_tokens" : "max_tokens";
        return chatRequest.writeRequest(conversation, { model, tokenLimit });
      },
      reader: () => new ChatStreamReader(),
      writer: (options) => new ChatStreamWriter(options),
    },
  ],
  [
    "openai_responses",
    {
      operation: "/responses",
      ...responsesRequest,
      ...responsesReply,
      reader: () => new ResponsesStreamReader(),
      writer: (options) => new ResponsesStreamWriter(options),
    },
  ],
  [
    "anthropic_messages",
    {
      operation: "/messages",
      ...messagesRequest,
      ...messagesReply,
      reader: () => new MessagesStreamReader(),
      writer: () => new MessagesStreamWriter(),
    },
  ],
]);

/** Undefined where none is needed: the backend speaks the caller's dialect. */
export function translate(call: Call, route: ModelRoute, created: number): Translation | Untranslated | undefined {
  if (route.dialects.includes(call.dialect)) return undefined;
  const from = spoken.get(call.dialect);
  const target = route.dialects.find((dialect) => spoken.has(dialect));
  const to = target && spoken.get(target);
  if (target === undefined || to === undefined || from?.operation !== call.operation) {
    return { untranslatable: `${call.operation} can't be asked of a backend that speaks ${route.dialects.join(", ")}` };
  }
  return attempt(() => {
    const request = to.writeRequest(from.readRequest(call.body.json), route);
    const read = readCallBody(Buffer.from(JSON.stringify(request)));
    if (!read.ok) throw new Untranslatable(read.detail);
    const includeUsage = asObject(call.body.json["stream_options"])["include_usage"] === true;
    return {
      // What a caller says by header and query is said to an API that is not asked.
      call: { dialect: target, operation: to.operation, header: () => undefined, query: [], body: read.body },
      answer: (body) =>
        attempt(() =>
          JSON.stringify(from.writeReply(to.readReply(asObject(JSON.parse(body.toString("utf8")))), created)),
        ),
      stream: () => new EventTranslation(to.reader(), from.writer({ created, includeUsage })),
    };
  });
}

class EventTranslation implements StreamTranslation {
  readonly #events = new EventStreamReader(maxReplyCharacters);
  readonly #reader: StreamReader;
  readonly #writer: StreamWriter;
  #hasStopped = false;
  #isOver = false;

  constructor(reader: StreamReader, writer: StreamWriter) {
    this.#reader = reader;
    this.#writer = writer;
  }

  end(): string | Untranslated {
    if (this.#isOver) return "";
    // Some backends say why they stop, and then no more.
    if (this.#hasStopped) return attempt(() => this.#write({ kind: "end" }));
    return { untranslatable: "the backend broke its answer off" };
  }

  push(piece: Buffer): string | Untranslated {
    return attempt(() => {
      const events = this.#events.push(piece).flatMap((event) => this.#reader.read(event));
      if (this.#events.dropped > 0) throw new Untranslatable("an event of the backend's is too long");
      return events.map((event) => this.#write(event)).join("");
    });
  }

  #write(event: ReplyEvent): string {
    if (this.#isOver) return "";
    if (event.kind === "error") throw new Untranslatable(event.message || "the backend reported an error");
    this.#isOver = event.kind === "end";
    this.#hasStopped ||= event.kind === "stop";
    return this.#writer.write(event);
  }
}

/** What a reader or writer throws, as a value. Whatever else they trip over is said by a backend that makes no sense. */
function attempt<Result>(translated: () => Result): Result | Untranslated {
  try {
    return translated();
  } catch (error) {
    if (error instanceof Untranslatable) return { untranslatable: error.message };
    if (error instanceof SyntaxError || error instanceof RangeError)
      return { untranslatable: "an answer that makes no sense" };
    throw error;
  }
}
