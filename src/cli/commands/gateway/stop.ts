import { defineCommand } from "../../command.ts";
import { stopLocalGateway } from "../../local-gateway/stop.ts";
import { askedRemoteGateway } from "../../remote/asked-remote.ts";

export const command = defineCommand({
  name: "stop",
  summary: "stop this machine's gateway; its sandboxes go on",
  details:
    "Sandboxes stay up and guarded by the policy they have. The next command that needs the gateway starts it again.",
  positionals: {},
  flags: {},
  examples: [{ typed: "openshell gateway stop", meaning: "Stop it in good order" }],
  action: async (context) => {
    const remote = askedRemoteGateway(context);
    if (remote !== undefined) {
      await (await import("../../remote/verbs.ts")).stopThere(remote, context);
      return 0;
    }
    const stopped = await stopLocalGateway(context.environment);
    context.print(
      stopped ? `the local gateway (process ${stopped.pid}) is stopped\n` : "the local gateway does not run\n",
    );
    return 0;
  },
});
