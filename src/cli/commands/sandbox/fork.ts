import { rememberSandbox } from "../../api/last-sandbox.ts";
import { forkSandbox } from "../../api/snapshot-methods.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  name: "fork",
  summary: "make another sandbox of what a stopped one is",
  details:
    "With its policy, providers, labels and environment, and a copy of what it has written. The new one is stopped; both go " +
    "their own ways from here.",
  positionals: {
    name: { kind: "required", summary: "the sandbox" },
    newName: { kind: "required", summary: "what to call the new one" },
  },
  flags: {},
  examples: [
    { typed: "openshell sandbox fork demo other && openshell sandbox start other", meaning: "Try two things at once" },
  ],
  action: async (context, { words }) => {
    const gateway = await context.gateway();
    const { name, newName } = words;
    const { workspace } = context.globals;
    const { sandbox } = await gateway.channel.unary(forkSandbox, { name, workspace, newName });
    const forked = sandbox?.metadata?.name ?? newName;
    rememberSandbox(forked, gateway, context);
    context.print(`${forked}\n`);
    return 0;
  },
});
