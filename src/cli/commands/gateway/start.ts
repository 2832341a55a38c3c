import { resolve } from "node:path";
import { isGatewayName } from "../../../locations/gateway-entry.ts";
import { LOCAL_GATEWAY_NAME } from "../../../locations/local-gateway.ts";
import { readRunningGateway } from "../../../locations/running-gateway.ts";
import { stateDirectory } from "../../../locations/state-directory.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { usageFailure } from "../../command-failure.ts";
import { askedContainerGateway } from "../../container-gateway/container-gateway.ts";
import type { StartInContainer } from "../../container-gateway/start-in-container.ts";
import { text, toggle, value } from "../../flags/flag.ts";
import { imageName, oneOf, wholeNumber } from "../../flags/meanings.ts";
import { runGatewayInForeground } from "../../local-gateway/foreground.ts";
import { startLocalGateway } from "../../local-gateway/start.ts";
import { askedRemoteGateway } from "../../remote/asked-remote.ts";
import { controlPath, hostOf, parseDestination, type SshAccess } from "../../remote/remote-gateway.ts";

const runtimes = ["process", "container"] as const;
/** What a gateway in a container is called if nobody says otherwise. */
const CONTAINED_NAME = "container";

export const command = defineCommand({
  name: "start",
  summary: "start this machine's gateway, or one on another machine by SSH, if it does not run",
  details:
    "Sandboxes that ran when the machine or the gateway went down are brought back. Without --port it listens on 17670, or " +
    "on a free port where something else has that one. With --remote the programs are copied to that machine, into the " +
    "user's home, and the gateway is registered, selected, and reached by SSH from then on; nothing else need be installed there " +
    "but what `openshell doctor` asks for. With --runtime container it is made of what is installed here, keeps its state in a " +
    "volume, makes sandboxes from images in the same engine, and comes back when that is started again.",
  positionals: {},
  flags: {
    port: value("listen on this port, or not at all; 0: any free one", wholeNumber(0, 65_535), { placeholder: "PORT" }),
    driver: value(
      "make sandboxes from images in this engine only, or in the cluster of kubernetes.yaml, instead of whichever is there",
      oneOf(["docker", "podman", "kubernetes"]),
      { placeholder: "ENGINE", environment: "OPENSHELL_DRIVERS" },
    ),
    "sandbox-image": value("make sandboxes that ask for no image from this one", imageName, {
      placeholder: "IMAGE",
      environment: "OPENSHELL_SANDBOX_IMAGE",
    }),
    "metrics-port": value("serve metrics for Prometheus on this port of the loopback address", wholeNumber(1, 65_535), {
      placeholder: "PORT",
      environment: "OPENSHELL_METRICS_PORT",
    }),
    runtime: value("run it as a process of this machine, or in a container of Docker's or Podman's", oneOf(runtimes), {
      placeholder: "RUNTIME",
    }),
    remote: text("start it on this machine, by SSH", { placeholder: "USER@HOST[:PORT]" }),
    "ssh-key": text("the private key for it; otherwise as ssh's own configuration says", { placeholder: "FILE" }),
    name: text("what to call a remote one, its host's name otherwise, or one in a container", { placeholder: "NAME" }),
    foreground: toggle("stay in the foreground, with its log on standard error, until Ctrl-C"),
  },
  examples: [
    { typed: "openshell gateway start", meaning: "Start it ahead of the first command" },
    { typed: "openshell gateway start --foreground --port 9000", meaning: "Under a service manager of your own" },
    {
      typed: "openshell gateway start --runtime container --sandbox-image debian:12",
      meaning: "In Docker or Podman, with its sandboxes beside it",
    },
    {
      typed: "openshell gateway start --remote me@build.example",
      meaning: "On another machine, which needs sshd alone",
    },
  ],
  action: async (context, { flags }) => {
    const portArguments = flags.port === undefined ? [] : ["--port", `${flags.port}`];
    const moreArguments = [
      ...(flags["metrics-port"] === undefined ? [] : ["--metrics-port", `${flags["metrics-port"]}`]),
      ...(flags["sandbox-image"] === undefined ? [] : ["--sandbox-image", flags["sandbox-image"]]),
    ];
    const contained = askedContained(flags, context);
    if (contained !== undefined)
      return await startContained({ ...contained, gatewayArguments: moreArguments }, context);
    const gatewayArguments = [
      ...portArguments,
      ...moreArguments,
      ...(flags.driver === undefined ? [] : ["--driver", flags.driver]),
    ];
    const remote = askedStart(flags, context);
    if (remote !== undefined) {
      const { startThere } = await import("../../remote/start-there.ts");
      const { name, access } = await startThere({ ...remote, gatewayArguments }, context);
      context.print(`the gateway "${name}" runs on ${access.destination}\n`);
      return 0;
    }
    if (flags.foreground) return await runGatewayInForeground(gatewayArguments, context);
    const before = readRunningGateway(stateDirectory(context.environment));
    const { endpoint, pid } = before ?? (await startLocalGateway(context, gatewayArguments));
    context.print(`the local gateway ${before ? "already runs" : "runs"} at ${endpoint} (process ${pid})\n`);
    return 0;
  },
});

interface ContainedFlags extends RemoteFlags {
  readonly runtime: (typeof runtimes)[number] | undefined;
  readonly driver: "docker" | "podman" | "kubernetes" | undefined;
  readonly port: number | undefined;
}

/** What is to be started in a container, if anything is: as the flags say, or as before for one that was started so. */
function askedContained(
  flags: ContainedFlags,
  context: CommandContext,
): Omit<StartInContainer, "gatewayArguments"> | undefined {
  if (flags.runtime === "process") return undefined;
  const known = flags.remote === undefined ? askedContainerGateway(context) : undefined;
  if (flags.runtime === undefined && known === undefined) return undefined;
  const stray = (["remote", "ssh-key", "foreground"] as const).find((flag) => flags[flag] !== undefined);
  if (stray !== undefined) throw usageFailure(`--${stray} is not for a gateway in a container`);
  const { driver: engine } = flags;
  if (engine === "kubernetes")
    throw usageFailure("a gateway in a cluster is started by its chart, not by --runtime container");
  if (flags.port === 0)
    throw usageFailure("--port 0 is not for a gateway in a container, which keeps its port", "name one");
  const name = flags.name ?? known?.name ?? context.globals.gateway ?? CONTAINED_NAME;
  if (!isGatewayName(name) || name === LOCAL_GATEWAY_NAME) {
    throw usageFailure(`"${name}" can't be the name of a gateway in a container`, "choose one with --name");
  }
  return { name, engine, port: flags.port };
}

async function startContained(asked: StartInContainer, context: CommandContext): Promise<number> {
  const { startInContainer } = await import("../../container-gateway/start-in-container.ts");
  const { name, engine, port, ranBefore } = await startInContainer(asked, context);
  const verb = ranBefore ? "already runs" : "runs";
  context.print(`the gateway "${name}" ${verb} in ${engine.name} at https://127.0.0.1:${port}\n`);
  return 0;
}

interface RemoteFlags {
  readonly remote: string | undefined;
  readonly "ssh-key": string | undefined;
  readonly name: string | undefined;
  readonly foreground: boolean | undefined;
}

/** Where it is to be started, if not here: as the flags say, or as before for one that was started so. */
function askedStart(flags: RemoteFlags, context: CommandContext): { name: string; access: SshAccess } | undefined {
  const known = flags.remote === undefined ? askedRemoteGateway(context) : undefined;
  if (flags.remote === undefined && known === undefined) {
    const stray = (["ssh-key", "name"] as const).find((flag) => flags[flag] !== undefined);
    if (stray !== undefined) throw usageFailure(`--${stray} is for gateways with --remote`);
    return undefined;
  }
  if (flags.foreground) throw usageFailure("--foreground holds on this machine alone, and the gateway is on another");
  const key = flags["ssh-key"] === undefined ? undefined : resolve(flags["ssh-key"]);
  if (known !== undefined) return { name: known.name, access: { ...known.access, ...(key !== undefined && { key }) } };
  const parsed = parseDestination(flags.remote ?? "");
  const name = flags.name ?? context.globals.gateway ?? hostOf(parsed.destination);
  if (!isGatewayName(name) || name === LOCAL_GATEWAY_NAME) {
    throw usageFailure(`"${name}" can't be a remote gateway's name`, "choose one with --name");
  }
  const path = controlPath(name, context.environment);
  return { name, access: { ...parsed, ...(key !== undefined && { key }), controlPath: path } };
}
