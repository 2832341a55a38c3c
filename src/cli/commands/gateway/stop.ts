import { defineCommand } from "../../command.ts";
import { askedElsewhere } from "../../gateway-elsewhere.ts";
import { stopLocalGateway } from "../../local-gateway/stop.ts";

export const command = defineCommand({
  name: "stop",
  summary: "stop this machine's gateway; its sandboxes go on",
  details:
    "Sandboxes stay up and guarded by the policy they have. The next command that needs the gateway starts it again.",
  positionals: {},
  flags: {},
  examples: [{ typed: "openshell gateway stop", meaning: "Stop it in good order" }],
  action: async (context) => {
    const elsewhere = await askedElsewhere(context);
    if (elsewhere !== undefined) {
      await elsewhere.stop(context);
      return 0;
    }
    const stopped = await stopLocalGateway(context.environment);
    context.print(
      stopped ? `the local gateway (process ${stopped.pid}) is stopped\n` : "the local gateway does not run\n",
    );
    return 0;
  },
});
