import { rememberSandbox } from "../../api/last-sandbox.ts";
import { rollbackSandbox } from "../../api/snapshot-methods.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  name: "rollback",
  summary: "give a stopped sandbox the state that it had at a snapshot",
  details: "What it has written since is gone, unless another snapshot has it. Its policy stays as it is now.",
  positionals: {
    name: { kind: "required", summary: "the sandbox" },
    snapshot: { kind: "required", summary: "the snapshot: see `openshell sandbox snapshot list`" },
  },
  flags: {},
  examples: [{ typed: "openshell sandbox rollback demo before-upgrade", meaning: "As if nothing had happened since" }],
  action: async (context, { words }) => {
    const gateway = await context.gateway();
    const { name, snapshot } = words;
    await gateway.channel.unary(rollbackSandbox, { name, workspace: context.globals.workspace, snapshot });
    rememberSandbox(name, gateway, context);
    return 0;
  },
});
