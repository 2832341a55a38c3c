/**
 * The sandbox used last, per gateway: what a command means when it is given no name. The file is the published CLI's.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { configDirectory } from "../../locations/config-directory.ts";
import { isGatewayName, writeAtomically } from "../../locations/gateway-entry.ts";
import type { CommandContext } from "../command-context.ts";
import { usageFailure } from "../command-failure.ts";
import type { Gateway } from "./gateway.ts";

type Where = Pick<CommandContext, "environment">;

/** @returns the name given, or the one used last. Throws CommandFailure (usage) if there is neither. */
export function sandboxName(named: string | undefined, gateway: Gateway, where: Where): string {
  if (named !== undefined) return named;
  const last = lastSandbox(gateway, where);
  if (last !== undefined) return last;
  throw usageFailure(
    "no sandbox is named, and none has been used before",
    "`openshell sandbox list` shows what there is",
  );
}

export function rememberSandbox(name: string, gateway: Gateway, where: Where): void {
  const path = lastPath(gateway, where);
  if (path === undefined || lastSandbox(gateway, where) === name) return;
  try {
    writeAtomically(path, `${name}\n`);
  } catch {
    // A home that cannot be written to makes no command fail that has done its work.
  }
}

export function forgetSandbox(name: string, gateway: Gateway, where: Where): void {
  const path = lastPath(gateway, where);
  if (path !== undefined && lastSandbox(gateway, where) === name) rmSync(path, { force: true });
}

/** The sandbox used last; undefined if there is none. */
export function lastSandbox(gateway: Gateway, where: Where): string | undefined {
  const path = lastPath(gateway, where);
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Undefined for a gateway without an entry: there is nowhere to remember its sandboxes. */
function lastPath({ name }: Gateway, { environment }: Where): string | undefined {
  if (name === undefined || !isGatewayName(name)) return undefined;
  return join(configDirectory(environment), "gateways", name, "last_sandbox");
}
