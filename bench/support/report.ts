/** Rows as tables, which read well on a terminal and are Markdown too. */
import type { Row } from "./bench.ts";
import { type Line, type Measured, type Summary, summarize } from "./line.ts";

/** A row's table; ratios are to the nearest reference above. */
export function table(row: Row, lines: readonly Line[]): string {
  const cells = [["", "median", "p95", "runs", "ratio"], ...body(lines)];
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? [];
  const [head = [], ...rest] = cells;
  const rule = widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  const shown = [head, rule, ...rest].map((row) => printed(row, widths)).join("\n");
  const target = row.target === undefined ? "" : ` — target: ${row.target}`;
  return `### ${row.name}: ${row.title}${target}\n\n${shown}\n`;
}

function body(lines: readonly Line[]): string[][] {
  let reference: number | undefined;
  return lines.map((line) => {
    if ("missing" in line) return [`${line.name}: ${line.missing}`, "", "", "", ""];
    const summary = summarize(line);
    if (reference === undefined || line.isReference) reference = summary.median;
    return present(line, summary, reference);
  });
}

function present(line: Measured, { median, p95, count }: Summary, reference: number): string[] {
  const ratio = `${significant(median / reference)}×`;
  return [line.name, `${significant(median)} ${line.unit}`, `${significant(p95)} ${line.unit}`, `${count}`, ratio];
}

function printed(row: readonly string[], widths: readonly number[]): string {
  const padded = row.map((cell, column) => {
    const width = widths[column] ?? 0;
    return column === 0 ? cell.padEnd(width) : cell.padStart(width);
  });
  return `| ${padded.join(" | ")} |`;
}

/** Three digits: more are noise. */
function significant(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
