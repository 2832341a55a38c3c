/**
 * A connection to the gateway that is meant. The local one is started if it does not run, so that the first command on a
 * fresh machine works like every later one.
 */

import { type GatewayMetadata, readEdgeToken } from "../../locations/gateway-entry.ts";
import { readRunningGateway } from "../../locations/running-gateway.ts";
import { stateDirectory } from "../../locations/state-directory.ts";
import { isPrivateUrl } from "../../net/loopback-url.ts";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import type { Carriage } from "./carriage.ts";
import { Channel } from "./channel.ts";
import type { Gateway } from "./gateway.ts";
import { configDirectories, type GatewayTarget, gatewayTarget } from "./gateway-target.ts";
import { openLocalCarriage } from "./local-carriage.ts";
import type { RemoteOptions } from "./remote-options.ts";

/** Throws CommandFailure when there is no reaching it. */
export async function openGateway(context: CommandContext): Promise<Gateway> {
  const target = gatewayTarget(context.globals, context.environment);
  refusePlaintext(target);
  if (!target.isLocal) return connectGateway(target, context);
  try {
    return await connectGateway(target, context);
  } catch {
    // It answers badly although it runs, or has been started just now: starting a second one would not help.
    const isRunning = readRunningGateway(stateDirectory(context.environment)) !== undefined;
    if (isRunning) return await connectGateway(gatewayTarget(context.globals, context.environment), context);
  }
  const { startLocalGateway } = await import("../local-gateway/start.ts");
  if (context.globals.verbose > 0) context.note("starting the local gateway");
  await startLocalGateway(context);
  // The first start has only now written the entry and the certificates.
  return connectGateway(gatewayTarget(context.globals, context.environment), context);
}

/** Connects to one target and starts nothing. Throws CommandFailure. */
export async function connectGateway(target: GatewayTarget, context: CommandContext): Promise<Gateway> {
  const { endpoint, name, isLocal } = target;
  if (endpoint === undefined) throw unreachable("it has never been started", target);
  if (target.behindSsh !== undefined) await openWay(target.behindSsh, context);
  const carriage = (await localCarriage(target, context)) ?? (await remoteCarriage({ ...target, endpoint }, context));
  // Looked up again: a gateway that was restarted may have another address.
  const reconnect = () => connectGateway(gatewayTarget(context.globals, context.environment), context);
  return { channel: new Channel(carriage), endpoint, isLocal, ...(name !== undefined && { name }), reconnect };
}

async function openWay(entry: GatewayMetadata, { environment }: CommandContext): Promise<void> {
  // Loaded only here: most gateways are not behind SSH.
  const { remoteGatewayOf } = await import("../remote/remote-gateway.ts");
  const { openTunnel } = await import("../remote/tunnel.ts");
  const remote = remoteGatewayOf(entry, environment);
  if (remote !== undefined) await openTunnel(remote);
}

/** The short way to this machine's own gateway; undefined if it cannot be taken, and the other one will tell why. */
async function localCarriage(
  { isLocal, endpoint }: GatewayTarget,
  context: CommandContext,
): Promise<Carriage | undefined> {
  const running = isLocal ? readRunningGateway(stateDirectory(context.environment)) : undefined;
  // The entry may have been changed to mean another gateway than the one that runs here.
  if (running?.socket === undefined || running.endpoint !== endpoint) return undefined;
  try {
    return await openLocalCarriage(running.socket);
  } catch (error) {
    if (context.globals.verbose > 0) context.note(`not by ${running.socket}: ${reasonOf(error)}`);
    return undefined;
  }
}

async function remoteCarriage(
  target: GatewayTarget & { endpoint: string },
  context: CommandContext,
): Promise<Carriage> {
  const { endpoint, credentials, authority } = target;
  const options: RemoteOptions = {
    endpoint,
    headers: await loginHeaders(target, context),
    tls: {
      ...(authority !== undefined && { ca: authority }),
      ...(credentials && { ca: credentials.ca, cert: credentials.certificate, key: credentials.key }),
      insecure: context.globals["gateway-insecure"] === true,
    },
  };
  // Loaded only here: TLS and HTTP/2 take longer than most commands.
  const { LoginWanted, openRemote } = await import("./open-remote.ts");
  try {
    // Where certificates of its own authority's are shown, nobody is in between.
    return await openRemote(options, { isDirect: credentials !== undefined });
  } catch (error) {
    if (error instanceof LoginWanted && target.name !== undefined) throw loginAgain(target.name);
    throw unreachable(reasonOf(error), target);
  }
}

/** Who calls, where it is no certificate that says so. */
async function loginHeaders(
  { name, oidc, isBehindEdge }: GatewayTarget,
  context: CommandContext,
): Promise<Readonly<Record<string, string>>> {
  if (name === undefined) return {};
  if (oidc !== undefined) {
    const { bearerToken } = await import("../login/bearer-token.ts");
    return { authorization: `Bearer ${await bearerToken(name, oidc, context)}` };
  }
  if (!isBehindEdge) return {};
  const token = configDirectories(context.environment)
    .map((directory) => readEdgeToken(directory, name))
    .find((found) => found !== undefined);
  if (token === undefined) throw loginAgain(name);
  // As the published clients say it, each for another proxy's taste.
  return { "cf-access-token": token, "cf-access-jwt-assertion": token, cookie: `CF_Authorization=${token}` };
}

function loginAgain(name: string): CommandFailure {
  return new CommandFailure(`you are not logged in to the gateway "${name}", or no longer`, {
    code: "unauthenticated",
    hint: `openshell gateway login ${name}`,
  });
}

/** Without TLS anyone on the way could read and change everything, tokens and policies included. */
function refusePlaintext({ endpoint }: GatewayTarget): void {
  if (endpoint === undefined || isPrivateUrl(endpoint)) return;
  throw new CommandFailure(`${endpoint} is not encrypted`, {
    hint: "use https://; plain http:// is for gateways on this machine",
  });
}

function unreachable(reason: string, target: GatewayTarget): CommandFailure {
  const { name, endpoint } = target;
  const shown = name === undefined ? endpoint : `"${name}"${endpoint === undefined ? "" : ` at ${endpoint}`}`;
  return new CommandFailure(`cannot reach the gateway ${shown}: ${reason}`, {
    code: "unavailable",
    hint: whatHelps(target),
  });
}

function whatHelps({ name, isLocal, behindSsh, isInContainer }: GatewayTarget): string {
  if (isLocal) return "see `openshell gateway status`, and `openshell gateway restart`";
  if (behindSsh) return `SSH leads to its machine; \`openshell gateway restart -g ${name}\` starts it there`;
  if (isInContainer) return `\`openshell gateway start -g ${name}\` starts its container`;
  return "check the address with `openshell gateway list`, or choose another with `-g`";
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  switch (code) {
    case "ECONNREFUSED":
      return "nothing listens there";
    case "ENOTFOUND":
      return "there is no such host";
    case "ERR_HTTP2_ERROR":
    case "ERR_HTTP2_SESSION_ERROR":
      return "it does not speak HTTP/2";
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return "its certificate is not signed by the authority that this client knows";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
