import { deleteService } from "../../api/service-methods.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  name: "delete",
  summary: "take a service's URL away",
  positionals: {
    sandbox: { kind: "required", summary: "the sandbox" },
    service: { kind: "optional", summary: "its name, where it has one" },
  },
  flags: {},
  examples: [{ typed: "openshell service delete demo web", meaning: "The sandbox goes on serving inside" }],
  action: async (context, { words }) => {
    const { channel } = await context.gateway();
    const { workspace } = context.globals;
    await channel.unary(deleteService, { sandbox: words.sandbox, service: words.service ?? "", workspace });
    return 0;
  },
});
