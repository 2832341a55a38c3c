import { configDirectory } from "../../../locations/config-directory.ts";
import { readGatewayEntry, removeGatewayEntry } from "../../../locations/gateway-entry.ts";
import { LOCAL_GATEWAY_NAME } from "../../../locations/local-gateway.ts";
import { readRunningGateway } from "../../../locations/running-gateway.ts";
import { stateDirectory } from "../../../locations/state-directory.ts";
import { activeGatewayName } from "../../api/gateway-target.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure } from "../../command-failure.ts";
import { remoteGatewayOf } from "../../remote/remote-gateway.ts";

export const command = defineCommand({
  name: "remove",
  summary: "forget a gateway; nothing of the gateway itself is touched",
  positionals: { name: { kind: "optional", summary: "the gateway; the active one if left out" } },
  flags: {},
  examples: [{ typed: "openshell gateway remove build", meaning: "Forget it and its certificates" }],
  action: async (context, { words }) => {
    const name = words.name ?? activeGatewayName(context.environment);
    const directory = configDirectory(context.environment);
    const entry = readGatewayEntry(directory, name);
    if (entry === undefined) {
      throw new CommandFailure(`this user has no gateway called "${name}"`, { code: "not_found" });
    }
    // Its only client certificate would be gone while it runs, and with it the way to its sandboxes.
    if (name === LOCAL_GATEWAY_NAME && readRunningGateway(stateDirectory(context.environment))) {
      throw new CommandFailure("the local gateway runs", { hint: "stop it first: `openshell gateway stop`" });
    }
    const remote = remoteGatewayOf(entry, context.environment);
    if (remote !== undefined) await (await import("../../remote/tunnel.ts")).closeTunnel(remote);
    removeGatewayEntry(directory, name);
    context.print(`${name}\n`);
    return 0;
  },
});
