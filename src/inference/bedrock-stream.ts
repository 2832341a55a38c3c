/**
 * A stream of Bedrock's, from an Anthropic model, as the stream of Messages that is inside: each of AWS's messages holds one
 * event in base64. What Bedrock says of a failure becomes Messages' own error event.
 */
import { type AwsEvent, AwsEventReader } from "../aws/event-stream.ts";
import { errorEvent } from "./error-body.ts";

export const awsEventStream = "application/vnd.amazon.eventstream";

export class BedrockStream {
  readonly #reader = new AwsEventReader();

  /** Why the stream can't be followed any more. */
  get broken(): string | undefined {
    return this.#reader.malformed;
  }

  /** Whether nothing is lost if the stream ends here. */
  get betweenEvents(): boolean {
    return this.#reader.betweenEvents;
  }

  /** The events that this piece completes, as text. */
  push(piece: Buffer): string {
    return this.#reader.push(piece).map(messagesEvent).join("");
  }
}

function messagesEvent(event: AwsEvent): string {
  const { headers, payload } = event;
  const kind = headers.get(":message-type");
  if (kind === "exception" || kind === "error") return failure(event);
  // Kinds of events that are added one day are no part of what the model says.
  if (headers.get(":event-type") !== "chunk") return "";
  const data = innerEvent(payload);
  if (data === undefined) return told("a piece that makes no sense", 502);
  const { type } = Object(JSON.parse(data)) as { type?: unknown };
  return `${typeof type === "string" ? `event: ${type}\n` : ""}data: ${data}\n\n`;
}

/** The model's own event in one of Bedrock's; undefined for one that holds none. */
export function innerEvent(payload: Buffer): string | undefined {
  try {
    const { bytes } = Object(JSON.parse(payload.toString("utf8"))) as { bytes?: unknown };
    const inner = typeof bytes === "string" ? Buffer.from(bytes, "base64").toString("utf8") : "";
    // In one line, whatever the model's server sent: an event's data ends with its line.
    return inner === "" ? undefined : JSON.stringify(JSON.parse(inner));
  } catch {
    return undefined;
  }
}

const statuses: Readonly<Record<string, number>> = {
  throttlingException: 429,
  validationException: 400,
  modelTimeoutException: 504,
};

function failure({ headers, payload }: AwsEvent): string {
  const type = headers.get(":exception-type") ?? headers.get(":error-code") ?? "error";
  const said = messageIn(payload) ?? headers.get(":error-message") ?? "the backend reported an error";
  return told(`${said} (${type})`, statuses[type] ?? 502);
}

function told(message: string, status: number): string {
  return errorEvent("anthropic_messages", { status, code: "backend_error", message }).toString();
}

function messageIn(payload: Buffer): string | undefined {
  try {
    const { message } = Object(JSON.parse(payload.toString("utf8"))) as { message?: unknown };
    return typeof message === "string" && message !== "" ? message : undefined;
  } catch {
    return undefined;
  }
}
