/** This machine's gateway as a child of this program, for service managers and for looking at it. */
import { spawn } from "node:child_process";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import { gatewayCommandLine, gatewayEnvironment, prepareGatewayStart } from "./start.ts";

/** What ends a gateway in good order. */
const ENDING = ["SIGINT", "SIGTERM"] as const;

/** @returns the gateway's exit code, once it has ended. Throws CommandFailure if it can't be started. */
export async function runGatewayInForeground(args: readonly string[], context: CommandContext): Promise<number> {
  const { environment, installation, signals } = context;
  prepareGatewayStart(context);
  const child = spawn(installation.node, gatewayCommandLine(installation, ["--foreground", ...args]), {
    // A group of its own: Ctrl-C reaches it once, by way of this program.
    detached: true,
    cwd: "/",
    env: gatewayEnvironment(environment),
    stdio: ["ignore", "inherit", "inherit"],
  });
  const pass = ENDING.map((signal) => [signal, () => void child.kill(signal)] as const);
  for (const [signal, listener] of pass) signals.on(signal, listener);
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", (error) => reject(new CommandFailure(`the gateway can't be started: ${error.message}`)));
      child.once("exit", (code) => resolve(code ?? 1));
    });
  } finally {
    for (const [signal, listener] of pass) signals.off(signal, listener);
  }
}
