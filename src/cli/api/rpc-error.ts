/**
 * An RPC that failed, by the code that the gateway (or the connection) gave it.
 */

/** The Connect protocol's names of gRPC's codes (https://connectrpc.com/docs/protocol#error-codes). */
const codes = [
  "canceled",
  "unknown",
  "invalid_argument",
  "deadline_exceeded",
  "not_found",
  "already_exists",
  "permission_denied",
  "resource_exhausted",
  "failed_precondition",
  "aborted",
  "out_of_range",
  "unimplemented",
  "internal",
  "unavailable",
  "data_loss",
  "unauthenticated",
] as const;

export type RpcCode = (typeof codes)[number];

export class RpcError extends Error {
  readonly code: RpcCode;
  /** A gateway has said this, so that it can't be the way to it that is at fault. */
  readonly isAnswer: boolean;

  constructor(
    code: RpcCode,
    message: string,
    { isAnswer = false, ...options }: { cause?: unknown; isAnswer?: boolean } = {},
  ) {
    super(message, options);
    this.name = "RpcError";
    this.code = code;
    this.isAnswer = isAnswer;
  }
}

/** Reads the protocol's error object `{code, message}`; undefined if it is none. */
export function readRpcError(value: unknown, method: string): RpcError | undefined {
  if (typeof value !== "object" || value === null || !("code" in value)) return undefined;
  const code = codes.find((known) => known === value.code) ?? "unknown";
  const message = "message" in value && typeof value.message === "string" ? value.message : "";
  return new RpcError(code, message || `${method} failed (${code})`, { isAnswer: true });
}
