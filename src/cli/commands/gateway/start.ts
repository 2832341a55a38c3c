import { readRunningGateway } from "../../../locations/running-gateway.ts";
import { stateDirectory } from "../../../locations/state-directory.ts";
import { defineCommand } from "../../command.ts";
import { toggle, value } from "../../flags/flag.ts";
import { imageName, oneOf, wholeNumber } from "../../flags/meanings.ts";
import { runGatewayInForeground } from "../../local-gateway/foreground.ts";
import { startLocalGateway } from "../../local-gateway/start.ts";

export const command = defineCommand({
  name: "start",
  summary: "start this machine's gateway, if it does not run",
  details:
    "Sandboxes that ran when the machine or the gateway went down are brought back. Without --port it listens on 17670, or " +
    "on a free port where something else has that one.",
  positionals: {},
  flags: {
    port: value("listen on this port, or not at all; 0: any free one", wholeNumber(0, 65_535), { placeholder: "PORT" }),
    driver: value(
      "make sandboxes from images in this engine only, instead of whichever listens",
      oneOf(["docker", "podman"]),
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
    foreground: toggle("stay in the foreground, with its log on standard error, until Ctrl-C"),
  },
  examples: [
    { typed: "openshell gateway start", meaning: "Start it ahead of the first command" },
    { typed: "openshell gateway start --foreground --port 9000", meaning: "Under a service manager of your own" },
  ],
  action: async (context, { flags }) => {
    const gatewayArguments = [
      ...(flags.port === undefined ? [] : ["--port", `${flags.port}`]),
      ...(flags["metrics-port"] === undefined ? [] : ["--metrics-port", `${flags["metrics-port"]}`]),
      ...(flags.driver === undefined ? [] : ["--driver", flags.driver]),
      ...(flags["sandbox-image"] === undefined ? [] : ["--sandbox-image", flags["sandbox-image"]]),
    ];
    if (flags.foreground) return await runGatewayInForeground(gatewayArguments, context);
    const before = readRunningGateway(stateDirectory(context.environment));
    const { endpoint, pid } = before ?? (await startLocalGateway(context, gatewayArguments));
    context.print(`the local gateway ${before ? "already runs" : "runs"} at ${endpoint} (process ${pid})\n`);
    return 0;
  },
});
