/**
 * The help of `openshell` and of a noun: which commands there are.
 */
import { commandTable, type Group } from "../command-table.ts";

export function rootHelp(): string {
  const shown = Object.entries(commandTable).filter(([, entry]) => entry.kind === "group" || !entry.isHidden);
  const rows = shown.map(
    ([name, { alias, summary }]) => [alias === undefined ? name : `${name}, ${alias}`, summary] as const,
  );
  return `OpenShell runs agents and other programs in sandboxes that reach only what a policy allows.

Usage: openshell COMMAND …

Commands:
${listing(rows)}
\`openshell COMMAND --help\` tells more. Flags for every command: -g/--gateway NAME, --gateway-endpoint URL,
--gateway-insecure, -w/--workspace NAME, -v, -h/--help, -V/--version.
`;
}

export async function groupHelp(name: string, group: Group): Promise<string> {
  const rows = await Promise.all(
    Object.entries(group.verbs).map(async ([verb, load]) => [verb, (await load()).command.summary] as const),
  );
  return `openshell ${name}: ${group.summary}

Usage: openshell ${name} COMMAND …

Commands:
${listing(rows)}
\`openshell ${name} COMMAND --help\` tells more.
`;
}

function listing(rows: readonly (readonly [name: string, summary: string])[]): string {
  const widest = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, summary]) => `  ${name.padEnd(widest)}  ${summary}\n`).join("");
}
