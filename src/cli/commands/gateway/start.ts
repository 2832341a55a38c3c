import { readRunningGateway } from "../../../locations/running-gateway.ts";
import { stateDirectory } from "../../../locations/state-directory.ts";
import { defineCommand } from "../../command.ts";
import { startLocalGateway } from "../../local-gateway/start.ts";

export const command = defineCommand({
  name: "start",
  summary: "start this machine's gateway, if it does not run",
  positionals: {},
  flags: {},
  examples: [{ typed: "openshell gateway start", meaning: "Start it ahead of the first command" }],
  action: async (context) => {
    const before = readRunningGateway(stateDirectory(context.environment));
    const { endpoint, pid } = before ?? (await startLocalGateway(context));
    context.print(`the local gateway ${before ? "already runs" : "runs"} at ${endpoint} (process ${pid})\n`);
    return 0;
  },
});
