/**
 * How each dialect says that a call failed: what the caller's SDK turns into its own exception, with our words in it.
 * Also as the last event of a stream that broke, after which a status can't be given any more.
 */
import { awsEvent } from "../aws/event-stream.ts";
import type { Dialect } from "./dialects.ts";

export interface CallError {
  readonly status: number;
  /** One of ours (`inference.no_route`), for programs. */
  readonly code: string;
  /** What is wrong and what to do, in a sentence or two without secrets. */
  readonly message: string;
}

export interface ErrorAnswer {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export function errorAnswer(dialect: Dialect, error: CallError): ErrorAnswer {
  const bedrockType = bedrockTypes.get(error.status) ?? "InternalServerException";
  return {
    headers: dialect === "aws_bedrock_invoke" ? [["x-amzn-ErrorType", bedrockType]] : [],
    body: JSON.stringify(errorObject(dialect, error)),
  };
}

/** The event; one in text has an empty line before it, in case the stream broke within another. */
export function errorEvent(dialect: Dialect, error: CallError): Buffer {
  switch (dialect) {
    case "anthropic_messages":
      return Buffer.from(`\n\nevent: error\ndata: ${JSON.stringify(errorObject(dialect, error))}\n\n`);
    case "openai_responses": {
      const { code, message } = error;
      // The number says where in the stream an event belongs; after a break nobody knows it.
      const event = { type: "error", code, message, param: null, sequence_number: 0 };
      return Buffer.from(`\n\nevent: error\ndata: ${JSON.stringify(event)}\n\n`);
    }
    case "openai_chat_completions":
    case "openai_completions":
    case "openai_embeddings":
      return Buffer.from(`\n\ndata: ${JSON.stringify(errorObject(dialect, error))}\n\n`);
    case "aws_bedrock_invoke": {
      const type = error.status === 504 ? "modelTimeoutException" : "modelStreamErrorException";
      const headers = { ":message-type": "exception", ":exception-type": type, ":content-type": "application/json" };
      return awsEvent(headers, JSON.stringify(errorObject(dialect, error)));
    }
    default:
      return dialect satisfies never;
  }
}

function errorObject(dialect: Dialect, { status, code, message }: CallError): object {
  if (dialect === "aws_bedrock_invoke") return { message };
  if (dialect === "anthropic_messages") {
    const type = anthropicTypes.get(status) ?? "api_error";
    const details = anthropicDetails.get(code);
    return { type: "error", error: { type, message: `${message} (${code})`, ...(details && { details }) } };
  }
  return { error: { message, type: openaiTypes.get(status) ?? "server_error", param: null, code } };
}

/** Whether a body says that a call failed, in the dialect's own words. */
export function saysFailure(dialect: Dialect, body: Buffer): boolean {
  const json = parsed(body);
  if (dialect === "aws_bedrock_invoke") return typeof json["message"] === "string";
  const { message } = objectOf(json["error"]);
  return typeof message === "string" && (dialect !== "anthropic_messages" || json["type"] === "error");
}

/** What a backend says is wrong, whichever API's words it uses: all have the message in the same place, or nearly so. */
export function failureMessage(body: Buffer): string {
  const json = parsed(body);
  const { error } = json;
  const said = [objectOf(error)["message"], json["message"], error].find((each) => typeof each === "string" && each);
  return typeof said === "string" ? said : "the backend reported an error";
}

/** The object that is said; Google says one in a list, where a stream was asked for. */
function parsed(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(body.toString("utf8"));
    return objectOf(Array.isArray(json) ? json[0] : json);
  } catch {
    return {};
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

const openaiTypes: ReadonlyMap<number, string> = new Map([
  [400, "invalid_request_error"],
  [404, "invalid_request_error"],
  [413, "invalid_request_error"],
  [426, "invalid_request_error"],
  [429, "rate_limit_error"],
]);

const anthropicTypes: ReadonlyMap<number, string> = new Map([
  [400, "invalid_request_error"],
  [404, "not_found_error"],
  [413, "request_too_large"],
  [426, "invalid_request_error"],
  [429, "rate_limit_error"],
  [504, "timeout_error"],
]);

/** What the SDKs look for before they try another way. */
const anthropicDetails: ReadonlyMap<string, object> = new Map([
  ["inference.no_threads", { error_code: "thread_unsupported_request" }],
]);

const bedrockTypes: ReadonlyMap<number, string> = new Map([
  [400, "ValidationException"],
  [404, "ResourceNotFoundException"],
  [413, "ValidationException"],
  [429, "ThrottlingException"],
  [502, "ModelErrorException"],
  [503, "ServiceUnavailableException"],
  [504, "ModelTimeoutException"],
]);
