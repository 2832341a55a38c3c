import { resolve } from "node:path";
import { stateDirectory } from "../../../locations/state-directory.ts";
import { defineCommand } from "../../command.ts";
import { toggle } from "../../flags/flag.ts";
import { refuseElsewhere } from "../../gateway-elsewhere.ts";
import { requireStateInFiles } from "../../local-gateway/state-in-files.ts";

export const command = defineCommand({
  name: "restore",
  summary: "put this machine's gateway's state back from a backup",
  details: "For a gateway that does not run. The next command that needs it starts it, with what the backup holds.",
  positionals: { file: { kind: "required", summary: "what `gateway backup` wrote" } },
  flags: { force: toggle("replace the state that is there") },
  examples: [{ typed: "openshell gateway restore gateway.backup", meaning: "On a new machine, or after a loss" }],
  action: async (context, { flags, words }) => {
    refuseElsewhere("restore", context);
    requireStateInFiles(context, "use pg_restore for it");
    const { restoreGateway } = await import("../../local-gateway/backup.ts");
    const state = stateDirectory(context.environment);
    restoreGateway(resolve(words.file), state, { force: flags.force ?? false });
    context.print(`the state in ${state} is that of the backup\n`);
    return 0;
  },
});
