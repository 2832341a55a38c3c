/** What `gateway stop | restart | logs | destroy` mean for a gateway on another machine. */
import { configDirectory } from "../../locations/config-directory.ts";
import { readGatewayEntry, removeGatewayEntry, writeGatewayEntry } from "../../locations/gateway-entry.ts";
import type { CommandContext } from "../command-context.ts";
import type { LogsAsked } from "../gateway-elsewhere.ts";
import { printable } from "../output/printable.ts";
import type { RemoteGateway } from "./remote-gateway.ts";
import { quoted, runThere } from "./ssh.ts";
import { readCredentials, runCli } from "./start-there.ts";
import { closeTunnel, openTunnel } from "./tunnel.ts";

export async function stopThere({ access, runtime, name }: RemoteGateway, context: CommandContext): Promise<void> {
  await runCli(access, runtime, ["gateway", "stop"]);
  context.print(`the gateway "${name}" on ${access.destination} is stopped\n`);
}

export async function restartThere(remote: RemoteGateway, context: CommandContext): Promise<void> {
  const { access, runtime, name } = remote;
  await runCli(access, runtime, ["gateway", "restart"]);
  await followPort(remote, context);
  context.print(`the gateway "${name}" on ${access.destination} runs\n`);
}

/** A gateway that was started anew may listen elsewhere, where another program has taken its port. */
async function followPort(remote: RemoteGateway, { environment }: CommandContext): Promise<void> {
  const { port } = await readCredentials(remote.access);
  if (port !== remote.port) {
    await closeTunnel(remote);
    const directory = configDirectory(environment);
    const entry = readGatewayEntry(directory, remote.name);
    if (entry !== undefined) writeGatewayEntry(directory, { ...entry, remote_port: port });
  }
  await openTunnel({ ...remote, port });
}

/** The log of the gateway itself, as its own machine shows it. */
export async function logsThere(remote: RemoteGateway, asked: LogsAsked, context: CommandContext): Promise<number> {
  const { access, runtime } = remote;
  const args = ["gateway", "logs", "-n", `${asked.lines}`, ...(asked.follow ? ["--follow"] : [])];
  const command = [`${runtime}/bin/openshell`, ...args].map(quoted).join(" ");
  const ending = new AbortController();
  const end = () => ending.abort();
  context.signals.on("SIGINT", end);
  try {
    const { code, stderr } = await runThere(access, `OPENSHELL_GATEWAY=openshell exec ${command}`, {
      onOutput: (chunk) => context.print(chunk.toString()),
      signal: ending.signal,
    });
    if (code !== 0) context.note(printable(stderr));
    return code;
  } finally {
    context.signals.off("SIGINT", end);
  }
}

/** Ends it, and leaves nothing of it there or here. */
export async function destroyThere(remote: RemoteGateway, context: CommandContext): Promise<void> {
  const { access, runtime, name } = remote;
  await runCli(access, runtime, ["gateway", "destroy", "--yes"]);
  await runThere(access, `rm -rf ${quoted(runtime.replace(/\/[^/]+$/, ""))}`);
  await closeTunnel(remote);
  removeGatewayEntry(configDirectory(context.environment), name);
  context.print(`the gateway "${name}" is destroyed; nothing of it is left on ${access.destination}\n`);
}
