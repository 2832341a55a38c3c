import { rotateSecretsKey } from "../../api/provider-methods.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  name: "rotate-key",
  summary: "replace the key that the stored credentials are locked with",
  details: "The credentials stay as they are. A copy of the key file from before opens nothing any more.",
  positionals: {},
  flags: {},
  examples: [{ typed: "openshell gateway rotate-key", meaning: "After a backup of the key file got into wrong hands" }],
  action: async (context) => {
    const gateway = await context.gateway();
    await gateway.channel.unary(rotateSecretsKey, {});
    context.print("the key of the stored credentials was replaced\n");
    return 0;
  },
});
