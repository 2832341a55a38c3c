import { stateDirectory } from "../../../locations/state-directory.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure } from "../../command-failure.ts";
import { confirm } from "../../confirm.ts";
import { toggle } from "../../flags/flag.ts";
import { askedElsewhere } from "../../gateway-elsewhere.ts";
import { requireStateInFiles } from "../../local-gateway/state-in-files.ts";

export const command = defineCommand({
  name: "destroy",
  summary: "end this machine's gateway and delete all that is its own, sandboxes and credentials included",
  positionals: {},
  flags: { yes: toggle("ask nothing") },
  examples: [
    { typed: "openshell gateway destroy", meaning: "Leave nothing behind" },
    { typed: "openshell gateway backup gateway.backup", meaning: "What can be kept of it, before" },
  ],
  action: async (context, { flags }) => {
    const elsewhere = await askedElsewhere(context);
    if (elsewhere !== undefined) {
      const everything = `delete all sandboxes, policies, credentials and logs of "${elsewhere.name}" ${elsewhere.place}`;
      if (!flags.yes && !(await confirm(everything, context))) throw cancelled();
      await elsewhere.destroy(context);
      return 0;
    }
    requireStateInFiles(context, "delete its sandboxes, stop it, and drop the database; then remove that file");
    const state = stateDirectory(context.environment);
    const what = `delete ${state} with every sandbox, policy, credential and log in it`;
    if (!flags.yes && !(await confirm(what, context))) throw cancelled();
    const { destroyLocalGateway } = await import("../../local-gateway/destroy.ts");
    await destroyLocalGateway(context);
    context.print(`the local gateway is destroyed; nothing is left in ${state}\n`);
    return 0;
  },
});

function cancelled(): CommandFailure {
  return new CommandFailure("nothing was deleted", { code: "cancelled" });
}
