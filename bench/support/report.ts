/** Rows as tables, which read well on a terminal and are Markdown too. */
import type { Row } from "./bench.ts";
import { type Line, type Summary, summarize } from "./line.ts";

/** A row's table; ratios are to its first line. */
export function table(row: Row, lines: readonly Line[]): string {
  const base = lines.find((line) => "samples" in line);
  const reference = base && summarize(base).median;
  const cells = [
    ["", "median", "p95", "runs", "ratio"],
    ...lines.map((line) => ("missing" in line ? absent(line.name, line.missing) : present(line, reference))),
  ];
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? [];
  const [head = [], ...body] = cells;
  const rule = widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  const shown = [head, rule, ...body].map((row) => printed(row, widths)).join("\n");
  const target = row.target === undefined ? "" : ` — target: ${row.target}`;
  return `### ${row.name}: ${row.title}${target}\n\n${shown}\n`;
}

function present(line: Extract<Line, { samples: unknown }>, reference: number | undefined): string[] {
  const { median, p95, count }: Summary = summarize(line);
  const ratio = reference === undefined ? "" : `${significant(median / reference)}×`;
  return [line.name, `${significant(median)} ${line.unit}`, `${significant(p95)} ${line.unit}`, `${count}`, ratio];
}

function absent(name: string, why: string): string[] {
  return [`${name}: ${why}`, "", "", "", ""];
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
