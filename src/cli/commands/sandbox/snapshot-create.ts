import { rememberSandbox, sandboxName } from "../../api/last-sandbox.ts";
import { createSnapshot } from "../../api/snapshot-methods.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  name: "create",
  summary: "keep a copy of what a stopped sandbox has written",
  details:
    "Its home, and what it has changed in its workspace and in the folders that its policy lets it write to; not what it " +
    "wrote into folders that are mounted. The sandbox must be stopped, so that the copy is whole. Blocks are shared where " +
    "the file system can.",
  positionals: {
    name: { kind: "optional", summary: "the sandbox; the one used last if left out" },
    snapshot: { kind: "optional", summary: "what to call the copy; the moment if left out" },
  },
  flags: {},
  examples: [
    {
      typed: "openshell sandbox snapshot create demo before-upgrade",
      meaning: "To go back to it by `sandbox rollback`",
    },
  ],
  action: async (context, { words }) => {
    const gateway = await context.gateway();
    const name = sandboxName(words.name, gateway, context);
    const request = { name, workspace: context.globals.workspace, snapshot: words.snapshot ?? "" };
    const { snapshot } = await gateway.channel.unary(createSnapshot, request);
    rememberSandbox(name, gateway, context);
    context.print(`${snapshot?.name}\n`);
    return 0;
  },
});
