/** The body of a unified diff: what differs between two texts, with a few lines around it. */
import { matchingLines, type Run } from "./matching-lines.ts";

/** Lines around a difference, as diff(1) and git have it. */
const CONTEXT = 3;

/** A part that differs, from line to line of each side, the second exclusive. */
interface Gap {
  readonly before: readonly [from: number, to: number];
  readonly after: readonly [from: number, to: number];
}

/** The lines of the hunks; none if the texts are equal. Texts are bytes, one character each (latin1). */
export function* hunks(before: string, after: string): Generator<string> {
  const [old, now] = [lines(before), lines(after)];
  let group: Gap[] = [];
  for (const gap of gaps(matchingLines(old, now), old.length, now.length)) {
    const last = group.at(-1);
    if (last && gap.before[0] - last.before[1] > 2 * CONTEXT) {
      yield* hunk(group, old, now);
      group = [];
    }
    group.push(gap);
  }
  if (group.length > 0) yield* hunk(group, old, now);
}

/** With their newlines, so that a last line without one differs from the same with one. */
function lines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function* gaps(runs: readonly Run[], beforeLength: number, afterLength: number): Generator<Gap> {
  let [before, after] = [0, 0];
  for (const run of [...runs, { before: beforeLength, after: afterLength, length: 0 }]) {
    if (run.before > before || run.after > after) yield { before: [before, run.before], after: [after, run.after] };
    [before, after] = [run.before + run.length, run.after + run.length];
  }
}

function* hunk(group: readonly Gap[], old: readonly string[], now: readonly string[]): Generator<string> {
  const [first, last] = [group[0], group.at(-1)];
  if (!first || !last) return;
  const lead = Math.min(CONTEXT, first.before[0]);
  const from = first.before[0] - lead;
  const to = Math.min(last.before[1] + CONTEXT, old.length);
  const afterFrom = first.after[0] - lead;
  const afterTo = last.after[1] + (to - last.before[1]);
  yield `@@ -${range(from, to)} +${range(afterFrom, afterTo)} @@\n`;
  let at = from;
  for (const { before, after } of group) {
    yield* marked(" ", old.slice(at, before[0]));
    yield* marked("-", old.slice(...before));
    yield* marked("+", now.slice(...after));
    at = before[1];
  }
  yield* marked(" ", old.slice(at, to));
}

/** Lines count from 1; an empty range is named by the line before it. */
function range(from: number, to: number): string {
  const count = to - from;
  const start = count === 0 ? from : from + 1;
  return count === 1 ? `${start}` : `${start},${count}`;
}

function* marked(mark: string, all: readonly string[]): Generator<string> {
  for (const line of all) yield line.endsWith("\n") ? mark + line : `${mark}${line}\n\\ No newline at end of file\n`;
}
