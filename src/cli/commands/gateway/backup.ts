import { resolve } from "node:path";
import { stateDirectory } from "../../../locations/state-directory.ts";
import { defineCommand } from "../../command.ts";
import { refuseElsewhere } from "../../gateway-elsewhere.ts";
import { requireStateInFiles } from "../../local-gateway/state-in-files.ts";

export const command = defineCommand({
  name: "backup",
  summary: "write this machine's gateway's state to a file",
  details:
    "Sandboxes' records, policies, providers with their credentials, settings, and the keys to all of it: whoever can " +
    "read the file has your credentials. The sandboxes' own files and logs are not in it. The gateway may run meanwhile.",
  positionals: { file: { kind: "required", summary: "the file to write; it must not exist" } },
  flags: {},
  examples: [{ typed: "openshell gateway backup gateway.backup", meaning: "Before an upgrade" }],
  action: async (context, { words }) => {
    refuseElsewhere("backup", context);
    requireStateInFiles(context, "use pg_dump for it, and keep secrets.key of the state directory");
    const { backUpGateway } = await import("../../local-gateway/backup.ts");
    const file = resolve(words.file);
    backUpGateway(stateDirectory(context.environment), file);
    context.print(`${file}\n`);
    context.note("it holds credentials and keys: keep it as you keep those");
    return 0;
  },
});
