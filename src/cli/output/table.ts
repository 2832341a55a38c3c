/**
 * Columns for people.
 */
import { printableLine } from "./printable.ts";

const GAP = "  ";

export interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => string;
  /** Colours a cell that has its final width, so that invisible characters do not disturb the columns. */
  readonly paint?: (padded: string, row: T) => string;
}

/** @returns lines with a title line first, each ending in a line feed. The last column is not padded. */
export function table<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  const cells = rows.map((row) => columns.map((column) => printableLine(column.cell(row))));
  const widths = columns.map((column, at) =>
    Math.max(column.title.length, ...cells.map((line) => width(line[at] ?? ""))),
  );
  const pad = (text: string, at: number) =>
    at === columns.length - 1 ? text : text + " ".repeat((widths[at] ?? 0) - width(text));
  const lines = [columns.map((column, at) => pad(column.title, at)).join(GAP)];
  for (const [rowAt, line] of cells.entries()) {
    const row = rows[rowAt] as T;
    lines.push(line.map((text, at) => (columns[at]?.paint ?? same)(pad(text, at), row)).join(GAP));
  }
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

/** `Label:  value` lines with the values under each other; pairs without a value are left out. */
export function fields(pairs: readonly (readonly [label: string, value: string | undefined])[]): string {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== "");
  const widest = Math.max(0, ...shown.map(([label]) => label.length));
  return shown.map(([label, value]) => `${`${label}:`.padEnd(widest + 1)}${GAP}${value}\n`).join("");
}

function width(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}

function same(text: string): string {
  return text;
}
