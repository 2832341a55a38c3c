/** Starts a gateway on another machine, from nothing: looks at it, copies the programs, starts, registers, opens the way. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { basename, dirname } from "node:path";
import { configDirectory } from "../../locations/config-directory.ts";
import {
  type GatewayMetadata,
  type MtlsBundle,
  readGatewayEntry,
  writeActiveGateway,
  writeGatewayEntry,
  writeMtlsBundle,
} from "../../locations/gateway-entry.ts";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import { copyRuntime } from "./copy-runtime.ts";
import { lookAtMachine } from "./machine.ts";
import { type RemoteFields, type RemoteGateway, remoteGatewayOf, type SshAccess } from "./remote-gateway.ts";
import { runtimeFiles } from "./runtime-files.ts";
import { quoted, runThere } from "./ssh.ts";
import { closeTunnel, openTunnel } from "./tunnel.ts";

export interface StartThere {
  readonly name: string;
  readonly access: SshAccess;
  /** For `gateway start` over there. */
  readonly gatewayArguments: readonly string[];
}

/** Gives the gateway, which runs and can be reached. Throws CommandFailure. */
export async function startThere(asked: StartThere, context: CommandContext): Promise<RemoteGateway> {
  const { name, access } = asked;
  const before = knownBefore(asked, context);
  const machine = await lookAtMachine(access);
  const runtime = await runtimeFiles(context.installation);
  const { folder, sentBytes } = await copyRuntime(access, machine, runtime);
  if (sentBytes > 0) context.note(`copied ${Math.ceil(sentBytes / 1024 / 1024)} MiB to ${access.destination}`);
  await requireSandboxes(access, folder);
  // Sandboxes go on meanwhile; the programs of the old version stay for those that use them.
  if (before !== undefined && before.runtime !== folder) await runCli(access, before.runtime, ["gateway", "stop"]);
  await runCli(access, folder, ["gateway", "start", ...asked.gatewayArguments]);
  await removeUnused(access, folder);
  const { port, bundle } = await readCredentials(access);
  if (before !== undefined && before.port !== port) await closeTunnel(before);
  const localPort = before?.localPort ?? (await freePort());
  const directory = configDirectory(context.environment);
  writeMtlsBundle(directory, name, bundle);
  const entry = entryOf({ name, access, runtime: folder, port, localPort });
  writeGatewayEntry(directory, entry);
  writeActiveGateway(directory, name);
  const gateway = remoteGatewayOf(entry, context.environment);
  if (gateway === undefined) throw new Error("the entry that was just written is none of a remote gateway");
  await openTunnel(gateway);
  return gateway;
}

/** Other versions' folders, but for those that a process still runs on: sandboxes outlive the gateway that made them. */
async function removeUnused(access: SshAccess, folder: string): Promise<void> {
  // What is looked for comes by standard input: on a command line it would be found in that one.
  await runThere(
    access,
    `
cd ${quoted(dirname(folder))} || exit 0
for other in *; do
  [ -f "$other/MANIFEST" ] && [ "$other" != ${quoted(basename(folder))} ] || continue
  echo "/runtime/$other/" | grep -qsFf - /proc/[0-9]*/cmdline /proc/[0-9]*/mountinfo || rm -rf "./$other"
done`,
  );
}

/** The same gateway from an earlier start. Throws if the name is another gateway's. */
function knownBefore({ name, access }: StartThere, { environment }: CommandContext): RemoteGateway | undefined {
  const entry = readGatewayEntry(configDirectory(environment), name);
  if (entry === undefined) return undefined;
  const known = remoteGatewayOf(entry, environment);
  if (known?.access.destination === access.destination && known.access.port === access.port) return known;
  throw new CommandFailure(`there is another gateway called "${name}" already`, {
    code: "already_exists",
    hint: "choose a name with --name",
  });
}

/** The copied programs must run there, and what sandboxes are built with must be there. */
async function requireSandboxes(access: SshAccess, folder: string): Promise<void> {
  const { code, stdout, stderr } = await runThere(access, `exec ${quoted(`${folder}/bin/openshell`)} doctor 2>&1`);
  if (code === 0) return;
  const lines = stdout.split("\n");
  const failed = lines.filter(
    (line, at) => line.startsWith("FAIL") || (/^\s/.test(line) && lines[at - 1]?.startsWith("FAIL")),
  );
  const said = (failed.length > 0 ? failed.join("\n") : stdout || stderr).trimEnd();
  throw new CommandFailure(`${access.destination} can't run sandboxes yet:\n${said}`, {
    code: "failed_precondition",
    hint: "on Debian and Ubuntu: apt-get install bubblewrap nftables iproute2 util-linux libatomic1; then start again",
  });
}

/** Runs this program's own command over there. Throws CommandFailure with what it said. */
export async function runCli(access: SshAccess, folder: string, args: readonly string[]): Promise<string> {
  const command = [`${folder}/bin/openshell`, ...args].map(quoted).join(" ");
  const { code, stdout, stderr } = await runThere(access, `OPENSHELL_GATEWAY=openshell exec ${command}`);
  if (code === 0) return stdout;
  throw new CommandFailure(`on ${access.destination}: ${stderr.replace(/^error: /, "") || `exit code ${code}`}`);
}

/** What the gateway has written for its own user's clients. */
export async function readCredentials(
  access: SshAccess,
): Promise<{ readonly port: number; readonly bundle: MtlsBundle }> {
  const files = ["metadata.json", "mtls/ca.crt", "mtls/tls.crt", "mtls/tls.key"];
  const script = `cd "\${XDG_CONFIG_HOME:-$HOME/.config}/openshell/gateways/openshell" && for file in ${files.join(" ")}; do cat "$file" || exit 1; echo =====; done`;
  const { code, stdout, stderr } = await runThere(access, script);
  const [metadata = "", ca = "", certificate = "", key = ""] = stdout.split("=====\n");
  if (code !== 0) throw new CommandFailure(`the gateway on ${access.destination} has left no entry: ${stderr}`);
  const { gateway_port: port } = JSON.parse(metadata) as GatewayMetadata;
  return { port, bundle: { ca, certificate, key } };
}

/** What clients read of it, the published ones too: while the tunnel is open, the address is as good as any. */
export function entryOf({ name, access, runtime, port, localPort }: RemoteGateway): GatewayMetadata & RemoteFields {
  return {
    name,
    gateway_endpoint: `https://127.0.0.1:${localPort}`,
    is_remote: true,
    gateway_port: localPort,
    remote_host: access.destination,
    auth_mode: "mtls",
    remote_port: port,
    remote_runtime: runtime,
    ...(access.port !== undefined && { ssh_port: access.port }),
    ...(access.key !== undefined && { ssh_key: access.key }),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
