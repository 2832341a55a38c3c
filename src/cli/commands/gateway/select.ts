import { configDirectory } from "../../../locations/config-directory.ts";
import { writeActiveGateway } from "../../../locations/gateway-entry.ts";
import { activeGatewayName, allGatewayEntries } from "../../api/gateway-target.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure } from "../../command-failure.ts";
import { nearest } from "../../flags/nearest.ts";

export const command = defineCommand({
  name: "select",
  summary: "choose the gateway that commands use",
  positionals: { name: { kind: "optional", summary: "the gateway; without one, the active one is printed" } },
  flags: {},
  examples: [{ typed: "openshell gateway select build-server", meaning: "Use another gateway from now on" }],
  action: async (context, { words }) => {
    if (words.name === undefined) {
      context.print(`${activeGatewayName(context.environment)}\n`);
      return 0;
    }
    const names = allGatewayEntries(context.environment).map(({ name }) => name);
    if (!names.includes(words.name)) {
      const suggestion = nearest(words.name, names);
      throw new CommandFailure(`there is no gateway called "${words.name}"`, {
        code: "not_found",
        hint:
          suggestion === undefined ? "`openshell gateway list` shows the known ones" : `did you mean "${suggestion}"?`,
      });
    }
    writeActiveGateway(configDirectory(context.environment), words.name);
    context.print(`${words.name}\n`);
    return 0;
  },
});
