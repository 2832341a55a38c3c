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
  return new GrowingTable(columns).add(rows);
}

/** A table to which rows are added as they come: a column keeps its width until something wider comes. */
export class GrowingTable<T> {
  readonly #columns: readonly Column<T>[];
  readonly #widths: number[];
  #hasTitles = false;

  constructor(columns: readonly Column<T>[]) {
    this.#columns = columns;
    this.#widths = columns.map(({ title }) => title.length);
  }

  /** The lines of these rows; in front of the first the titles. */
  add(rows: readonly T[]): string {
    const cells = rows.map((row) => this.#columns.map((column) => printableLine(column.cell(row))));
    for (const line of cells) {
      for (const [at, text] of line.entries()) this.#widths[at] = Math.max(this.#widths[at] ?? 0, width(text));
    }
    const lines = this.#hasTitles ? [] : [this.#columns.map(({ title }, at) => this.#pad(title, at)).join(GAP)];
    this.#hasTitles = true;
    for (const [rowAt, line] of cells.entries()) {
      const row = rows[rowAt] as T;
      lines.push(line.map((text, at) => (this.#columns[at]?.paint ?? same)(this.#pad(text, at), row)).join(GAP));
    }
    return lines.map((line) => `${line.trimEnd()}\n`).join("");
  }

  #pad(text: string, at: number): string {
    if (at === this.#columns.length - 1) return text;
    return text + " ".repeat((this.#widths[at] ?? 0) - width(text));
  }
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
