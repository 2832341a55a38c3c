/**
 * Two texts side by side, line by line: ` ` stands before what both have, `-` before what only the first has, `+` before
 * what only the second has. By the longest common subsequence, so that as little as possible is said to differ.
 */

/** Lines that are shown around what differs. */
const context = 3;

/** Cells of the table below; what differs in more lines than this is shown as replaced as a whole. */
const mostCells = 4_000_000;

/** Empty if the texts are equal. Parts that are left out are marked by `@@`. */
export function diffLines(before: readonly string[], after: readonly string[]): string[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  const middle = compared(before.slice(start, before.length - end), after.slice(start, after.length - end));
  if (middle.length === 0) return [];
  const same = (lines: readonly string[]) => lines.map((line) => ` ${line}`);
  return shortened([...same(before.slice(0, start)), ...middle, ...same(before.slice(before.length - end))]);
}

function compared(before: readonly string[], after: readonly string[]): string[] {
  const wholly = [...before.map((line) => `-${line}`), ...after.map((line) => `+${line}`)];
  if (before.length * after.length > mostCells) return wholly;
  const common = commonLengths(before, after);
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < before.length && j < after.length) {
    if (before[i] === after[j]) {
      lines.push(` ${before[i++]}`);
      j++;
    } else if ((common[i + 1]?.[j] ?? 0) >= (common[i]?.[j + 1] ?? 0)) lines.push(`-${before[i++]}`);
    else lines.push(`+${after[j++]}`);
  }
  for (const line of before.slice(i)) lines.push(`-${line}`);
  for (const line of after.slice(j)) lines.push(`+${line}`);
  return lines;
}

/** Length of the longest common subsequence of the texts from line `i` and line `j` on. */
function commonLengths(before: readonly string[], after: readonly string[]): Uint32Array[] {
  const lengths = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i--) {
    const [row = new Uint32Array(), below = new Uint32Array()] = lengths.slice(i, i + 2);
    for (let j = after.length - 1; j >= 0; j--) {
      row[j] = before[i] === after[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  return lengths;
}

function shortened(lines: readonly string[]): string[] {
  const isShown = lines.map((_, at) => lines.slice(Math.max(0, at - context), at + context + 1).some(differs));
  return lines.flatMap((line, at) => {
    if (isShown[at]) return [line];
    return at === 0 || isShown[at - 1] ? ["@@"] : [];
  });
}

function differs(line: string): boolean {
  return !line.startsWith(" ");
}
