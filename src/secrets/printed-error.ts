/**
 * What may be printed of an error: all of it but the secrets that the process holds. Whoever throws may quote what it was
 * working on (Node's own errors do, a URL among them), and what is printed ends in a log.
 */
import { inspect } from "node:util";
import { writeStandardError } from "../linux/standard-error.ts";
import { Echoes } from "./echoes.ts";
import { redactText } from "./redact.ts";
import { redacted, Secret } from "./secret.ts";

/** With its stack, causes and members, as the console would print it. */
export function printedError(error: unknown): string {
  const echoes = new Echoes(Secret.alive().map((secret) => [redacted, secret]));
  const masked = echoes.masked(Buffer.from(inspect(error)).toString("latin1"));
  // What is not known for a secret yet may look like one.
  return redactText(Buffer.from(masked, "latin1").toString());
}

/** Prints it on standard error. */
export function printError(error: unknown): void {
  writeStandardError(`${printedError(error)}\n`);
}

/** From here on an error that nobody catches ends the program as ever, and says why without a secret in it. */
export function maskUncaughtErrors(): void {
  process.on("uncaughtException", (error: unknown) => {
    printError(error);
    process.exit(1);
  });
}
