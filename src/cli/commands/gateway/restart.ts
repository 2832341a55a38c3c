import { defineCommand } from "../../command.ts";
import { askedElsewhere } from "../../gateway-elsewhere.ts";
import { startLocalGateway } from "../../local-gateway/start.ts";
import { stopLocalGateway } from "../../local-gateway/stop.ts";

export const command = defineCommand({
  name: "restart",
  summary: "stop this machine's gateway and start it again; its sandboxes go on",
  positionals: {},
  flags: {},
  examples: [{ typed: "openshell gateway restart", meaning: "After an upgrade" }],
  action: async (context) => {
    const elsewhere = await askedElsewhere(context);
    if (elsewhere !== undefined) {
      await elsewhere.restart(context);
      return 0;
    }
    await stopLocalGateway(context.environment);
    const { endpoint, pid } = await startLocalGateway(context);
    context.print(`the local gateway runs at ${endpoint} (process ${pid})\n`);
    return 0;
  },
});
