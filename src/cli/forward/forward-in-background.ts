/** A forwarded port in a process of its own, which outlives the command that starts it. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Gateway } from "../api/gateway.ts";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import { forwardsDirectory } from "./forward-records.ts";
import { localAddress, type PortSpec } from "./port-spec.ts";

/** @returns what the process says once it listens, and its number. Throws CommandFailure if it does not get there. */
export async function forwardInBackground(
  spec: PortSpec,
  sandboxName: string,
  { gateway, context }: { readonly gateway: Gateway; readonly context: CommandContext },
): Promise<{ readonly said: string; readonly pid: number }> {
  const { installation, environment, globals } = context;
  const directory = forwardsDirectory(environment);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // Read only if it ends at once, and removed in any case: what it says later is for nobody.
  const errors = join(directory, `${process.pid}-${spec.local}.starting`);
  const log = openSync(errors, "w", 0o600);
  try {
    const typed = [
      ...(gateway.name === undefined ? ["--gateway-endpoint", gateway.endpoint] : ["--gateway", gateway.name]),
      ...(globals["gateway-insecure"] ? ["--gateway-insecure"] : []),
      ...["--workspace", globals.workspace, "--name", sandboxName],
      `${localAddress(spec)}:${spec.remote}`,
    ];
    const child = spawn(installation.node, [installation.cliProgram, "forward", "start", ...typed], {
      // A session of its own: closing the terminal or pressing Ctrl-C there must not end it.
      detached: true,
      cwd: "/",
      env: environment,
      stdio: ["ignore", "pipe", log],
    });
    const output = child.stdout as Readable;
    const said = await firstLine(output);
    child.unref();
    output.destroy();
    if (said === undefined) throw failureIn(readFileSync(errors, "utf8"));
    return { said, pid: child.pid ?? 0 };
  } finally {
    closeSync(log);
    rmSync(errors, { force: true });
  }
}

/** Undefined when it ends without one. */
async function firstLine(output: Readable): Promise<string | undefined> {
  let text = "";
  for await (const chunk of output) {
    text += String(chunk);
    const end = text.indexOf("\n");
    if (end !== -1) return text.slice(0, end);
  }
  return undefined;
}

/** The command's own words, as tell-failure.ts writes them. */
function failureIn(text: string): CommandFailure {
  const [, message = "the port could not be forwarded"] = /^error: (.*)$/m.exec(text) ?? [];
  const [, hint] = /^hint: (.*)$/m.exec(text) ?? [];
  return new CommandFailure(message, hint === undefined ? {} : { hint });
}
