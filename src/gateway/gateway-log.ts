import { printedError } from "../secrets/printed-error.ts";

/** The gateway's own log: one line an event, on standard error, which the CLI points at a file. */
export interface GatewayLog {
  info(message: string): void;
  /** `cause` is written with its stack, and without secrets: the log is the only place that sees it. */
  error(message: string, cause: unknown): void;
}

/** A log that hands lines to `write`. */
export function createGatewayLog(write: (line: string) => void, now: () => number): GatewayLog {
  const line = (level: string, message: string) => write(`${new Date(now()).toISOString()} ${level} ${message}\n`);
  return {
    info: (message) => line("INFO", message),
    error: (message, cause) => line("ERROR", `${message}: ${printedError(cause)}`),
  };
}
