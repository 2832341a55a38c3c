import { defineCommand } from "../../command.ts";
import { usageFailure } from "../../command-failure.ts";
import { commandTable } from "../../command-table.ts";
import { completionScript } from "../../completion/script.ts";
import { oneOf } from "../../flags/meanings.ts";

const shell = oneOf(["bash", "zsh", "fish"]);

export const command = defineCommand({
  name: "completions",
  summary: "print a completion script for a shell",
  positionals: { shell: { kind: "required", summary: "bash, zsh or fish" } },
  flags: {},
  examples: [
    { typed: 'eval "$(openshell completions bash)"', meaning: "In ~/.bashrc" },
    { typed: "openshell completions fish > ~/.config/fish/completions/openshell.fish", meaning: "For fish" },
  ],
  action: async (context, { words }) => {
    const meaning = shell(words.shell);
    if (!meaning.ok) throw usageFailure(`SHELL ${meaning.problem}`);
    context.print(await completionScript(meaning.value, commandTable));
    return 0;
  },
});
