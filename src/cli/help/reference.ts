/**
 * docs/cli.md, made from the command definitions.
 */
import type { Command } from "../command.ts";
import { commandsToCome, commandTable } from "../command-table.ts";
import { globalFlags } from "../flags/global-flags.ts";
import { flagRows, usageLine } from "./command-help.ts";

/** @returns the whole page. */
export async function cliReference(): Promise<string> {
  const parts = [
    `# Command line

<!-- Made by scripts/generate-docs.ts from the command definitions in src/cli/commands. Do not edit. -->

\`openshell COMMAND …\` talks to a gateway: the one of \`--gateway-endpoint\`, else of \`-g\` or \`OPENSHELL_GATEWAY\`, else the
active one. This machine's own gateway is started in the background by the first command that needs it.

The exit code is that of the command in the sandbox where there is one (128 and the signal's number if a signal ended it);
otherwise 0, 1 for errors and 2 for a command line that is wrong. Errors go to standard error, as \`error:\` and \`hint:\`, or as one JSON
object with \`-o json\`. Where a sandbox's name may be left out, the one used last is meant.

Flags of every command:

${flagTable(flagRows(globalFlags))}`,
  ];
  for (const [noun, entry] of Object.entries(commandTable)) {
    const alias = entry.alias === undefined ? "" : ` (alias \`${entry.alias}\`)`;
    parts.push(`## openshell ${noun}${alias}\n\n${sentence(entry.summary)}\n`);
    if (entry.kind === "single") {
      parts.push(section(noun, (await entry.load()).command));
      continue;
    }
    for (const [verb, load] of Object.entries(entry.verbs)) {
      const path = `${noun} ${verb}`;
      parts.push(`### openshell ${path}\n`, section(path, (await load()).command));
    }
  }
  parts.push(`## Not available yet

These commands of the published CLI answer with an error that says so:

${Object.entries(commandsToCome)
  .map(([path, purpose]) => `* \`${path}\`: ${purpose}`)
  .join("\n")}
`);
  return parts.join("\n");
}

function section(path: string, command: Command): string {
  const parts = [`${sentence(command.summary)}${command.details === undefined ? "" : ` ${command.details}`}\n`];
  parts.push(`\`\`\`\n${usageLine(path, command)}\n\`\`\`\n`);
  const words = Object.entries(command.positionals).map(
    ([name, { summary }]) => [name.toUpperCase(), summary] as const,
  );
  const rows = [...words, ...flagRows(command.flags)];
  if (rows.length > 0) parts.push(flagTable(rows));
  if (command.examples.length > 0) {
    const shown = command.examples.map(({ typed, meaning }) => `# ${meaning}\n${typed}`);
    parts.push(`\`\`\`sh\n${shown.join("\n")}\n\`\`\`\n`);
  }
  return parts.join("\n");
}

function flagTable(rows: readonly (readonly [shown: string, summary: string])[]): string {
  const lines = rows.map(([shown, summary]) => `| \`${shown.trim()}\` | ${summary.replaceAll("|", "\\|")} |`);
  return `| | |\n| --- | --- |\n${lines.join("\n")}\n`;
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
