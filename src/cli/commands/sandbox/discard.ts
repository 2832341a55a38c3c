import { rememberSandbox } from "../../api/last-sandbox.ts";
import { discardChanges } from "../../api/review-methods.ts";
import { defineCommand } from "../../command.ts";
import { usageFailure } from "../../command-failure.ts";
import { toggle } from "../../flags/flag.ts";
import { askedReview, reviewWords } from "../../review/asked-review.ts";

export const command = defineCommand({
  name: "discard",
  summary: "forget what a stopped sandbox has changed in its workspace",
  details:
    "The sandbox then sees the folder as it is. It must be stopped: what it sees can't be exchanged under its programs. " +
    "What was discarded is gone.",
  positionals: reviewWords,
  flags: { all: toggle("everything, which must be said if no path is") },
  examples: [
    { typed: "openshell sandbox discard demo package-lock.json", meaning: "Forget the changes of one file" },
    { typed: "openshell sandbox discard demo --all", meaning: "Begin anew with the folder as it is" },
  ],
  action: async (context, { flags, words }) => {
    const gateway = await context.gateway();
    const asked = askedReview(words, gateway, context);
    if ((flags.all === true) === asked.paths.length > 0) {
      throw usageFailure("name what is to be discarded, or say --all", "`openshell sandbox diff --name-only` lists it");
    }
    await gateway.channel.unary(discardChanges, { ...asked, paths: [...asked.paths] });
    rememberSandbox(asked.name, gateway, context);
    return 0;
  },
});
