/** Prints sandboxes and their changes as they come: rows of one table, or a document for each. */
import { type Followed, followSandboxes, type SandboxChange } from "../../api/follow-sandboxes.ts";
import type { Gateway } from "../../api/gateway.ts";
import type { CommandContext } from "../../command-context.ts";
import { GatewayAbsence } from "../../gateway-absence.ts";
import { structured } from "../../output/structured.ts";
import { type Column, GrowingTable } from "../../output/table.ts";
import { sandboxColumns } from "./sandbox-columns.ts";

export interface PrintedChanges {
  readonly followed: Followed;
  readonly format: "table" | "json" | "yaml";
  /** Whether to end once the last of them is gone. */
  readonly endsWithLast: boolean;
}

/** Goes on until the reader has enough, or nothing is left to follow. @returns the exit code */
export async function printChanges(
  { followed, format, endsWithLast }: PrintedChanges,
  gateway: Gateway,
  context: CommandContext,
): Promise<number> {
  const ending = new AbortController();
  context.stdout.once("error", () => ending.abort());
  using absence = new GatewayAbsence(gateway, context, "sandboxes go on, and it is waited for");
  const table = new GrowingTable(changeColumns(context));
  const options = { signal: ending.signal, onAbsence: (isAway: boolean) => absence.set(isAway) };
  for await (const changes of followSandboxes(followed, gateway, options)) {
    if (ending.signal.aborted) break;
    if (format === "table") context.print(table.add(changes));
    else for (const change of changes) context.print(await document(change, format));
    if (endsWithLast && changes.some(({ isDeleted }) => isDeleted)) break;
  }
  return 0;
}

function changeColumns(context: CommandContext): Column<SandboxChange>[] {
  const columns = sandboxColumns(context, Date.now).map(
    ({ title, cell, paint }): Column<SandboxChange> => ({
      title,
      cell: ({ view, isDeleted }) => (isDeleted && title === "PHASE" ? "Deleted" : cell(view)),
      ...(paint && { paint: (padded, { view }) => paint(padded, view) }),
    }),
  );
  return columns;
}

/** A line of JSON, or a document of YAML. */
async function document({ view, isDeleted }: SandboxChange, format: "json" | "yaml"): Promise<string> {
  const whole = { ...view, deleted: isDeleted };
  return format === "json" ? `${JSON.stringify(whole)}\n` : `---\n${await structured("yaml", whole)}`;
}
