import { VERSION } from "../../../version.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  name: "version",
  summary: "show the version of this program",
  positionals: {},
  flags: {},
  examples: [{ typed: "openshell version", meaning: "The version" }],
  action: async (context) => {
    context.print(`openshell ${VERSION}\n`);
    return 0;
  },
});
