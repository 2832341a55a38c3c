/**
 * How each dialect says that a call failed: what the caller's SDK turns into its own exception, with our words in it.
 * Also as the last event of a stream that broke, after which a status can't be given any more.
 */
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

/** The event, with an empty line before it in case the stream broke within another. */
export function errorEvent(dialect: Dialect, error: CallError): string {
  switch (dialect) {
    case "anthropic_messages":
      return `\n\nevent: error\ndata: ${JSON.stringify(errorObject(dialect, error))}\n\n`;
    case "openai_responses": {
      const { code, message } = error;
      // The number says where in the stream an event belongs; after a break nobody knows it.
      const event = { type: "error", code, message, param: null, sequence_number: 0 };
      return `\n\nevent: error\ndata: ${JSON.stringify(event)}\n\n`;
    }
    case "openai_chat_completions":
    case "openai_completions":
    case "openai_embeddings":
    case "aws_bedrock_invoke":
      return `\n\ndata: ${JSON.stringify(errorObject(dialect, error))}\n\n`;
    default:
      return dialect satisfies never;
  }
}

function errorObject(dialect: Dialect, { status, code, message }: CallError): object {
  if (dialect === "aws_bedrock_invoke") return { message };
  if (dialect === "anthropic_messages") {
    return {
      type: "error",
      error: { type: anthropicTypes.get(status) ?? "api_error", message: `${message} (${code})` },
    };
  }
  return { error: { message, type: openaiTypes.get(status) ?? "server_error", param: null, code } };
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

const bedrockTypes: ReadonlyMap<number, string> = new Map([
  [400, "ValidationException"],
  [404, "ResourceNotFoundException"],
  [413, "ValidationException"],
  [429, "ThrottlingException"],
  [502, "ModelErrorException"],
  [503, "ServiceUnavailableException"],
  [504, "ModelTimeoutException"],
]);
