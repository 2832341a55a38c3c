/** Forwards ports of this machine into a sandbox until the sandbox is gone, or the user has had enough. */
import { existsSync, rmSync } from "node:fs";
import type { SandboxJson } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { Gateway } from "../api/gateway.ts";
import type { CommandContext } from "../command-context.ts";
import { holdInterruptions } from "../hold-interruptions.ts";
import { writeForward } from "./forward-records.ts";
import { openPort } from "./open-port.ts";
import { isLoopback, localAddress, type PortSpec } from "./port-spec.ts";
import { whenSandboxGone } from "./sandbox-gone.ts";

export interface Forward {
  readonly specs: readonly PortSpec[];
  readonly sandbox: SandboxJson;
  /** In the sandbox. */
  readonly host: string;
}

/** @returns the exit code. Throws CommandFailure when a port can't be had. */
export async function forwardPorts(
  { specs, sandbox, host }: Forward,
  { gateway, context }: { readonly gateway: Gateway; readonly context: CommandContext },
): Promise<number> {
  const { id: sandboxId = "", name = "" } = sandbox.metadata ?? {};
  const ending = new AbortController();
  using interruption = holdInterruptions(context.signals, () => ending.abort());
  using undo = new DisposableStack();
  let current = gateway;
  const destination = { sandboxId, host, gateway: () => current, onFailure: failures(context) };
  const files: string[] = [];
  for (const asked of specs) {
    const { spec } = undo.use(await openPort(asked, destination));
    const file = writeForward(
      { ...spec, sandbox: name, gateway: gateway.name ?? gateway.endpoint },
      context.environment,
    );
    files.push(file);
    undo.defer(() => rmSync(file, { force: true }));
    if (!isLoopback(spec)) {
      context.note(`note: whoever can reach ${localAddress(spec)} can now reach port ${spec.remote} of ${name}`);
    }
    context.print(`${localAddress(spec)} -> ${name}:${spec.remote}\n`);
  }
  await whenSandboxGone(sandboxId, gateway, {
    signal: ending.signal,
    onConnected: (next) => {
      current = next;
    },
    // With the state directory goes what this is part of: a gateway that was destroyed does not come back.
    isWanted: () => files.every((file) => existsSync(file)),
  });
  return interruption.exitCode ?? 0;
}

/** Tells why a connection failed, once for as long as the reason stays the same. */
function failures(context: CommandContext): (error: unknown) => void {
  let last = "";
  return (error) => {
    const reason = error instanceof Error ? error.message : String(error);
    if (reason !== last) context.note(`a connection failed: ${reason}`);
    last = reason;
  };
}
