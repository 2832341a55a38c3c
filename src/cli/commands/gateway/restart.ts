import { defineCommand } from "../../command.ts";
import { startLocalGateway } from "../../local-gateway/start.ts";
import { stopLocalGateway } from "../../local-gateway/stop.ts";
import { askedRemoteGateway } from "../../remote/asked-remote.ts";

export const command = defineCommand({
  name: "restart",
  summary: "stop this machine's gateway and start it again; its sandboxes go on",
  positionals: {},
  flags: {},
  examples: [{ typed: "openshell gateway restart", meaning: "After an upgrade" }],
  action: async (context) => {
    const remote = askedRemoteGateway(context);
    if (remote !== undefined) {
      await (await import("../../remote/verbs.ts")).restartThere(remote, context);
      return 0;
    }
    await stopLocalGateway(context.environment);
    const { endpoint, pid } = await startLocalGateway(context);
    context.print(`the local gateway runs at ${endpoint} (process ${pid})\n`);
    return 0;
  },
});
