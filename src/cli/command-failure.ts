/**
 * A failure that the user can be told about: what happened, and what to do next.
 */

export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;

export class CommandFailure extends Error {
  readonly hint: string | undefined;
  readonly exitCode: number;
  /** Machine-readable word, e.g. the gRPC code; shown with `-o json`. */
  readonly code: string;

  constructor(message: string, options: { hint?: string; exitCode?: number; code?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "CommandFailure";
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? EXIT_FAILURE;
    this.code = options.code ?? "failed";
  }
}

/** The command line itself is wrong. */
export function usageFailure(message: string, hint?: string): CommandFailure {
  return new CommandFailure(message, { exitCode: EXIT_USAGE, code: "usage", ...(hint !== undefined && { hint }) });
}
