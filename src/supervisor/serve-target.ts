/** What a client wanted, tied to what the sandbox has: a command, a port, a shell over SSH. */
import { type Duplex, pipeline } from "node:stream";
import type { ExecSandboxRequestJson } from "../gen/openshell/v1/exec_pb.ts";
import type { DetachedCommands } from "./detached/detached-commands.ts";
import { type ExecContext, exec } from "./exec.ts";
import { createExecChannel, type ExecChannel } from "./exec-channel.ts";
import type { RelayTarget } from "./gateway-channels.ts";
import { connectInside } from "./inside-connection.ts";
import { loopbackAddress } from "./ssh/loopback-hosts.ts";
import type { SshContext } from "./ssh/ssh-connection.ts";

export type TargetContext = ExecContext & SshContext & { readonly detached: DetachedCommands };

/** Serves the stream to its end. Whatever goes wrong is told by how it ends. */
export function serveTarget(target: RelayTarget, stream: Duplex, context: TargetContext): void {
  switch (target.kind) {
    case "exec":
      return serveCommand(target.request, createExecChannel(stream), context);
    case "tcp":
      return void forward(stream, target, context);
    case "ssh":
      return void serveShell(stream, target, context);
    default:
      target satisfies never;
  }
}

function serveCommand(request: ExecSandboxRequestJson, channel: ExecChannel, context: TargetContext): void {
  if (request.attach) context.detached.attach(request, channel);
  else if (request.detach) context.detached.start(request, channel, context);
  else exec(request, channel, context);
}

async function serveShell(
  stream: Duplex,
  { sessionId: id, user }: RelayTarget & { kind: "ssh" },
  context: TargetContext,
): Promise<void> {
  // Loaded when somebody connects: it takes memory that most sandboxes never need.
  const { serveSsh } = await import("./ssh/serve-ssh.ts");
  serveSsh(stream, { id, user }, context);
}

/** The sandbox never became one: a command ends with 1, everything else without a word. */
export function refuseTarget(target: RelayTarget, stream: Duplex): void {
  if (target.kind === "exec") createExecChannel(stream).exit(1);
  else stream.destroy(new Error("the sandbox did not start"));
}

async function forward(
  stream: Duplex,
  { host, port }: RelayTarget & { kind: "tcp" },
  { init, sandboxName }: TargetContext,
): Promise<void> {
  const fail = (reason: string) => void stream.destroy(new Error(`port ${port} of the sandbox: ${reason}`));
  const address = host === "" ? "127.0.0.1" : loopbackAddress(host, sandboxName);
  if (address === undefined) return fail(`${host} is somewhere else`);
  try {
    const inside = await connectInside(init, { host: address, port });
    // The end of one way is passed on; an error ends both, and the client learns of it.
    pipeline(stream, inside, stream, (error) => {
      inside.destroy();
      if (error) fail(error.message);
    });
  } catch (error) {
    fail((error as Error).message);
  }
}
