import { gatewayTarget } from "../../api/gateway-target.ts";
import { rememberSandbox } from "../../api/last-sandbox.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure, EXIT_FAILURE } from "../../command-failure.ts";
import { askedReview, includeGit, reviewWords } from "../../review/asked-review.ts";

export const command = defineCommand({
  name: "apply",
  summary: "put what a sandbox has changed into the folder that it works on",
  details:
    "Writes to the folder with your rights, each file as a whole. Nothing is applied if one of them has changed in the folder " +
    "since the sandbox was given its view. Links that may lead out of the folder stay out, and so does .git: its hooks and " +
    "its configuration make git start programs. A sandbox that runs may change more between your review and this: stop it first.",
  positionals: reviewWords,
  flags: { "include-git": includeGit },
  examples: [
    { typed: "openshell sandbox apply demo", meaning: "All of it" },
    { typed: "openshell sandbox apply demo src README.md", meaning: "Only these" },
  ],
  action: async (context, { flags, words }) => {
    if (!gatewayTarget(context.globals, context.environment).isLocal) {
      throw new CommandFailure("the folder is on the gateway's machine, and this is another", {
        hint: "`openshell sandbox diff > changes.patch` here, and `git apply changes.patch` there",
      });
    }
    const { applyReview } = await import("../../review/apply-review.ts");
    const gateway = await context.gateway();
    const asked = askedReview(words, gateway, context);
    const { host, applied, leftOut } = await applyReview(asked, { gateway, context, includeGit: flags["include-git"] });
    rememberSandbox(asked.name, gateway, context);
    context.print(`${applied === 1 ? "1 change" : `${applied} changes`} applied to ${host}`);
    context.print(leftOut > 0 ? `, ${leftOut} left out\n` : "\n");
    return applied === 0 && leftOut > 0 ? EXIT_FAILURE : 0;
  },
});
