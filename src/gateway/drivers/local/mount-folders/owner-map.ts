/** Two ids that change places, as user_namespaces(7) has maps written: `inside outside count`, a line each. */

/** (uid_t) -1 is nobody's. */
const END_OF_IDS = 2 ** 32 - 1;

/**
 * What belongs to one looks as if it belonged to the other, and everybody else's stays as it is. Both ways, since two ids
 * can't look like one.
 */
export function swapped(one: number, other: number): string {
  const [low, high] = one < other ? [one, other] : [other, one];
  const ranges = [
    [0, 0, low],
    [low, high, low === high ? 0 : 1],
    [low + 1, low + 1, high - low - 1],
    [high, low, 1],
    [high + 1, high + 1, END_OF_IDS - high - 1],
  ] as const;
  return ranges
    .filter(([, , count]) => count > 0)
    .map((range) => `${range.join(" ")}\n`)
    .join("");
}
