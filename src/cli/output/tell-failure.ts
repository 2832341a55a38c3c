/**
 * How a failure is told: `error:` what happened, `hint:` what to do; as one JSON object for scripts that asked for JSON.
 */
import type { Writable } from "node:stream";
import { RpcError } from "../api/rpc-error.ts";
import { CommandFailure, EXIT_FAILURE } from "../command-failure.ts";
import { printable } from "./printable.ts";
import { styleFor } from "./style.ts";

interface Told {
  readonly message: string;
  readonly code: string;
  readonly hint?: string;
  readonly exitCode: number;
}

/** @returns the exit code that belongs to it. */
export function tellFailure(
  error: unknown,
  options: {
    readonly world: {
      readonly stderr: Writable & { readonly isTTY?: boolean };
      readonly environment: Readonly<Record<string, string | undefined>>;
    };
    readonly asJson: boolean;
  },
): number {
  const { stderr, environment } = options.world;
  const told = describe(error);
  if (options.asJson) {
    const { message, code, hint } = told;
    stderr.write(`${JSON.stringify({ error: { code, message, ...(hint !== undefined && { hint }) } })}\n`);
    return told.exitCode;
  }
  const style = styleFor(stderr, environment);
  stderr.write(`${style.bad("error:")} ${printable(told.message)}\n`);
  if (told.hint !== undefined) stderr.write(`${style.warning("hint:")} ${printable(told.hint)}\n`);
  return told.exitCode;
}

function describe(error: unknown): Told {
  if (error instanceof CommandFailure) {
    const { message, code, exitCode } = error;
    const hint = error.hint ?? (code === "not_found" ? whereListed(message) : undefined);
    return { message, code, exitCode, ...(hint !== undefined && { hint }) };
  }
  if (error instanceof RpcError) {
    const hint = hintFor(error);
    return { message: error.message, code: error.code, exitCode: EXIT_FAILURE, ...(hint !== undefined && { hint }) };
  }
  // Everything else is a defect; its stack helps whoever mends it.
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { message, code: "internal", exitCode: EXIT_FAILURE, hint: "this is a defect in openshell; please report it" };
}

/** Gateways put remedies into their messages; these are for the codes whose cause lies on this side. */
function hintFor({ code, message, isAnswer }: RpcError): string | undefined {
  switch (code) {
    case "unauthenticated":
      return "the gateway does not accept this client's certificate; see `openshell gateway list`";
    case "unavailable":
      if (message.includes("supervisor")) return "`openshell sandbox get` tells the sandbox's state";
      return isAnswer ? undefined : "see `openshell gateway status`; `openshell gateway start` starts the local one";
    case "unimplemented":
      return "this gateway does not offer that yet";
    case "not_found":
      return whereListed(message);
    default:
      return undefined;
  }
}

/** What a message that ends in "not found" begins with, and the command that lists such things. */
const listings: readonly (readonly [beginning: string, command: string])[] = [
  ["sandbox ", "sandbox list"],
  ["provider profile ", "provider profile list"],
  ["imported provider profile ", "provider profile list"],
  ["provider ", "provider list"],
  ["inference route ", "inference list"],
  ["revision ", "policy history"],
  ["proposal ", "policy proposals list --status all"],
];

function whereListed(message: string): string | undefined {
  const listing = listings.find(([beginning]) => message.startsWith(beginning));
  return listing && `\`openshell ${listing[1]}\` shows what there is`;
}
