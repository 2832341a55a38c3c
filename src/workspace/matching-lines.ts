/**
 * Which lines two texts have in common, so that as little as possible differs: the greedy algorithm of Eugene W. Myers,
 * "An O(ND) Difference Algorithm and Its Variations" (1986).
 */

/** Lines that are the same on both sides, counted from 0. */
export interface Run {
  readonly before: number;
  readonly after: number;
  readonly length: number;
}

/**
 * Lines that are searched for as removed or added, together. Time grows with them times the lines, memory with their
 * square; of texts that differ more, what is between their common beginning and end counts as replaced as a whole.
 */
const MAX_EDITS = 1_000;

/** The runs in their order; between two of them lies what differs. */
export function matchingLines(before: readonly string[], after: readonly string[]): Run[] {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  const middle = shortestEdit(before.slice(start, before.length - end), after.slice(start, after.length - end));
  return joined([
    { before: 0, after: 0, length: start },
    ...middle.map((run) => ({ before: run.before + start, after: run.after + start, length: run.length })),
    { before: before.length - end, after: after.length - end, length: end },
  ]);
}

/**
 * On the diagonal k = before - after, `furthest` has how far the path that reaches furthest with so many edits comes in
 * `before`. Of each number of edits it is kept, to find the way back.
 */
function shortestEdit(before: readonly string[], after: readonly string[]): Run[] {
  const most = Math.min(before.length + after.length, MAX_EDITS);
  const furthest = new Int32Array(2 * most + 3);
  const middle = most + 1;
  const trail: Int32Array[] = [];
  for (let edits = 0; edits <= most; edits++) {
    // Only these diagonals are read when going back.
    trail.push(furthest.slice(middle - edits - 1, middle + edits + 2));
    for (let k = -edits; k <= edits; k += 2) {
      const isDown = k === -edits || (k !== edits && at(furthest, middle + k - 1) < at(furthest, middle + k + 1));
      let x = isDown ? at(furthest, middle + k + 1) : at(furthest, middle + k - 1) + 1;
      while (x < before.length && x - k < after.length && before[x] === after[x - k]) x++;
      furthest[middle + k] = x;
      if (x >= before.length && x - k >= after.length) return wayBack(trail, before.length, after.length);
    }
  }
  return [];
}

function wayBack(trail: readonly Int32Array[], beforeLength: number, afterLength: number): Run[] {
  const runs: Run[] = [];
  let [x, y] = [beforeLength, afterLength];
  for (let edits = trail.length - 1; edits >= 0; edits--) {
    const furthest = trail[edits] as Int32Array;
    const middle = edits + 1;
    const k = x - y;
    const isDown = k === -edits || (k !== edits && at(furthest, middle + k - 1) < at(furthest, middle + k + 1));
    const [fromX, fromY] = edits === 0 ? [0, 0] : wayFrom(furthest, { middle, k, isDown });
    const [startX, startY] = edits === 0 ? [0, 0] : isDown ? [fromX, fromY + 1] : [fromX + 1, fromY];
    if (x > startX) runs.unshift({ before: startX, after: startY, length: x - startX });
    [x, y] = [fromX, fromY];
  }
  return runs;
}

function wayFrom(
  furthest: Int32Array,
  { middle, k, isDown }: { readonly middle: number; readonly k: number; readonly isDown: boolean },
): [x: number, y: number] {
  const from = isDown ? k + 1 : k - 1;
  const x = at(furthest, middle + from);
  return [x, x - from];
}

const at = (array: Int32Array, index: number): number => array[index] ?? 0;

/** Without empty runs, and with those that touch made one. */
function joined(runs: readonly Run[]): Run[] {
  const result: Run[] = [];
  for (const run of runs) {
    const last = result.at(-1);
    const touches = last && last.before + last.length === run.before && last.after + last.length === run.after;
    if (last && touches) result[result.length - 1] = { ...last, length: last.length + run.length };
    else if (run.length > 0) result.push(run);
  }
  return result.filter(({ length }) => length > 0);
}
