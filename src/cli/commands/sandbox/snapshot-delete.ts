import { rememberSandbox } from "../../api/last-sandbox.ts";
import { deleteSnapshot } from "../../api/snapshot-methods.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  name: "delete",
  summary: "delete a copy of a sandbox's state",
  positionals: {
    name: { kind: "required", summary: "the sandbox" },
    snapshot: { kind: "required", summary: "the copy" },
  },
  flags: {},
  examples: [{ typed: "openshell sandbox snapshot delete demo before-upgrade", meaning: "It is needed no more" }],
  action: async (context, { words }) => {
    const gateway = await context.gateway();
    const { name, snapshot } = words;
    await gateway.channel.unary(deleteSnapshot, { name, workspace: context.globals.workspace, snapshot });
    rememberSandbox(name, gateway, context);
    return 0;
  },
});
