import { getService, serviceView } from "../../api/service-methods.ts";
import { defineCommand } from "../../command.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";

export const command = defineCommand({
  name: "get",
  summary: "the URL of an exposed service",
  positionals: {
    sandbox: { kind: "required", summary: "the sandbox" },
    service: { kind: "optional", summary: "its name, where it has one" },
  },
  flags: { output: outputFlag },
  examples: [{ typed: "openshell service get demo web", meaning: "Where it is" }],
  action: async (context, { flags, words }) => {
    const { channel } = await context.gateway();
    const view = serviceView(
      await channel.unary(getService, {
        sandbox: words.sandbox,
        service: words.service ?? "",
        workspace: context.globals.workspace,
      }),
    );
    context.print(flags.output === "table" ? `${view.url}\n` : await structured(flags.output, view));
    return 0;
  },
});
