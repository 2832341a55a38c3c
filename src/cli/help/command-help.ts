/**
 * The help of one command, made from its definition.
 */
import type { Command, Positional } from "../command.ts";
import type { Flag } from "../flags/flag.ts";
import { globalFlags } from "../flags/global-flags.ts";

export function commandHelp(path: string, command: Command): string {
  const parts = [`openshell ${path}: ${command.summary}\n`];
  if (command.details !== undefined) parts.push(`${wrapped(command.details)}\n`);
  parts.push(`Usage: ${usageLine(path, command)}\n`);
  const words = Object.entries(command.positionals).map(
    ([name, { summary }]) => [name.toUpperCase(), summary] as const,
  );
  if (words.length > 0) parts.push(`Arguments:\n${listing(words)}`);
  const flags = flagRows(command.flags);
  if (flags.length > 0) parts.push(`Flags:\n${listing(flags)}`);
  parts.push(`Flags of every command:\n${listing(flagRows(globalFlags))}`);
  if (command.examples.length > 0) {
    const shown = command.examples.map(({ typed, meaning }) => `  ${meaning}:\n    ${typed}\n`);
    parts.push(`Examples:\n${shown.join("")}`);
  }
  return parts.join("\n");
}

export function usageLine(path: string, command: Command): string {
  const words = Object.entries(command.positionals).map(([name, positional]) => shownWord(name, positional));
  return ["openshell", path, "[FLAGS]", ...words].join(" ");
}

/** `-o, --output FORMAT` and what it does, for every flag that works today. */
export function flagRows(flags: Readonly<Record<string, Flag>>): (readonly [shown: string, summary: string])[] {
  return Object.entries(flags)
    .filter(([, flag]) => flag.kind !== "unavailable")
    .map(([name, flag]) => [shownFlag(name, flag), shownSummary(flag)] as const);
}

function shownFlag(name: string, flag: Flag): string {
  const short = flag.short === undefined ? "    " : `-${flag.short}, `;
  const long = flag.kind === "switch" && flag.negatable ? `--[no-]${name}` : `--${name}`;
  const takesValue = flag.kind === "value" || flag.kind === "list";
  if (flag.kind === "value" && flag.bare !== undefined) return `${short}${long} [${flag.placeholder}]`;
  return `${short}${long}${takesValue ? ` ${flag.placeholder}` : ""}`;
}

function shownSummary(flag: Flag): string {
  const notes: string[] = [];
  if (flag.kind === "list") notes.push("repeatable");
  if (flag.kind === "value" && flag.shownDefault !== undefined) notes.push(`default: ${flag.shownDefault}`);
  if (flag.kind === "value" && flag.environment !== undefined) notes.push(`environment: ${flag.environment}`);
  return notes.length === 0 ? flag.summary : `${flag.summary} [${notes.join("; ")}]`;
}

function shownWord(name: string, { kind }: Positional): string {
  const word = name.toUpperCase();
  switch (kind) {
    case "required":
      return word;
    case "optional":
      return `[${word}]`;
    case "many":
      return `${word}…`;
    case "rest":
      return `[--] ${word}…`;
    default:
      return kind satisfies never;
  }
}

function listing(rows: readonly (readonly [shown: string, summary: string])[]): string {
  const widest = Math.max(...rows.map(([shown]) => shown.length));
  return rows.map(([shown, summary]) => `  ${shown.padEnd(widest)}  ${summary}\n`).join("");
}

const LINE_WIDTH = 100;

function wrapped(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + 1 + word.length > LINE_WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join("\n");
}
