/**
 * What a model says that it used, and which model it was, read out of its answer in passing: from the JSON of a whole
 * answer or from the events of a stream, in any dialect. Nothing of an answer's contents is kept.
 */
import { AwsEventReader } from "../aws/event-stream.ts";
import { innerEvent } from "./bedrock-stream.ts";
import { EventStreamReader } from "./event-stream.ts";

export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface Served {
  readonly model?: string;
  readonly usage?: Usage;
  /** Events of a stream: about as many as it has tokens, where it does not say. */
  readonly events: number;
}

/** A whole answer that is longer is not read: only embeddings are, and what they used can be told from the request. */
export const maxReadAnswerBytes = 1024 * 1024;

/** Characters of an event that are looked at. Usage comes in small ones; a tool call's arguments may be long. */
const maxEventCharacters = 1024 * 1024;

const metrics = "amazon-bedrock-invocationMetrics";
const mentionsUsage = new RegExp(`"(?:usage|${metrics})"\\s*:\\s*\\{`);

/** Events as all backends write them: none of them begun before, or going on behind. */
const wholeEvents = /^(?:(?:event: [^\r\n]*\n)?data: [^\r\n]*\n\n)+$/;

export class UsageFollower {
  readonly #stream: EventStreamReader | undefined;
  readonly #awsStream: AwsEventReader | undefined;
  #answer: Buffer[] = [];
  #answerBytes = 0;
  #events = 0;
  #model: string | undefined;
  #usage: Usage | undefined;

  /** @param said of the usage, before the answer's contents */
  constructor(kind: "event-stream" | "aws-event-stream" | "json", said?: Usage) {
    this.#stream = kind === "event-stream" ? new EventStreamReader(maxEventCharacters) : undefined;
    this.#awsStream = kind === "aws-event-stream" ? new AwsEventReader() : undefined;
    this.#usage = said;
  }

  /** The next piece of the answer's contents. */
  push(piece: Buffer): void {
    if (this.#stream) {
      if (this.#stream.betweenEvents && this.#passOver(piece)) return;
      for (const { data } of this.#stream.push(piece)) this.#look(data);
      return;
    }
    if (this.#awsStream) {
      for (const { payload } of this.#awsStream.push(piece)) this.#look(innerEvent(payload) ?? "");
      return;
    }
    this.#answerBytes += piece.length;
    if (this.#answerBytes <= maxReadAnswerBytes) this.#answer.push(piece);
    else this.#answer = [];
  }

  /** What has been said, now that the answer is over. */
  finish(): Served {
    if (this.#answer.length > 0) this.#read(Buffer.concat(this.#answer).toString("utf8"));
    this.#answer = [];
    return {
      events: this.#events,
      ...(this.#model !== undefined && { model: this.#model }),
      ...(this.#usage && { usage: this.#usage }),
    };
  }

  /**
   * Counts whole events that say nothing new, as nearly all of a stream do, without making an object of each: with many
   * streams at once that is what this process would be busy with. False: they are to be read one by one.
   */
  #passOver(piece: Buffer): boolean {
    if (this.#model === undefined) return false;
    const text = piece.toString("latin1");
    if (!wholeEvents.test(text) || mentionsUsage.test(text)) return false;
    for (let at = text.indexOf("\n\n"); at !== -1; at = text.indexOf("\n\n", at + 2)) this.#events++;
    return true;
  }

  /** Most events are a few letters of text; only those are parsed that may say something new. */
  #look(data: string): void {
    this.#events++;
    if (this.#model === undefined || mentionsUsage.test(data)) this.#read(data);
  }

  #read(text: string): void {
    const answer = parseObject(text);
    // Where the answer is: at the top, in `message` (message_start), in `response` (response.completed).
    for (const part of [answer, memberOf(answer, "message"), memberOf(answer, "response")]) {
      const model = part?.["model"];
      if (typeof model === "string" && model !== "") this.#model ??= model;
      const usage = memberOf(part, "usage");
      if (usage) this.#usage = merged(this.#usage, usage);
    }
    const measured = memberOf(answer, metrics);
    const [input, output] = [count(measured?.["inputTokenCount"]), count(measured?.["outputTokenCount"])];
    if (input !== undefined && output !== undefined) this.#usage ??= { inputTokens: input, outputTokens: output };
  }
}

/** What Bedrock says in headers, whatever the model's own answer looks like. */
export function bedrockUsage(header: (lower: string) => string | undefined): Usage | undefined {
  const [inputTokens, outputTokens] = ["input", "output"].map((which) => {
    const value = header(`x-amzn-bedrock-${which}-token-count`);
    return value !== undefined && /^\d{1,12}$/.test(value) ? Number(value) : undefined;
  });
  return inputTokens === undefined || outputTokens === undefined ? undefined : { inputTokens, outputTokens };
}

/** Streams of Messages say the input first and the output, growing, with their last events. */
function merged(before: Usage | undefined, usage: JsonObject): Usage {
  const input = count(usage["prompt_tokens"]) ?? messagesInput(usage);
  const output = count(usage["completion_tokens"]) ?? count(usage["output_tokens"]);
  return {
    inputTokens: Math.max(input ?? 0, before?.inputTokens ?? 0),
    outputTokens: Math.max(output ?? 0, before?.outputTokens ?? 0),
  };
}

/** Messages counts what it read from its cache, or wrote to it, apart. */
function messagesInput(usage: JsonObject): number | undefined {
  const parts = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"].map((name) =>
    count(usage[name]),
  );
  return parts.every((part) => part === undefined)
    ? undefined
    : parts.reduce<number>((sum, part) => sum + (part ?? 0), 0);
}

type JsonObject = Readonly<Record<string, unknown>>;

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function memberOf(object: JsonObject | undefined, name: string): JsonObject | undefined {
  return asObject(object?.[name]);
}

function asObject(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null ? (value as JsonObject) : undefined;
}

function parseObject(text: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    // `[DONE]`, and whatever else a backend says.
    return undefined;
  }
}
