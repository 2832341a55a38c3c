/** The known word that a misspelt one was probably meant to be; absent if none is near. */
export function nearestWord(written: string, known: readonly string[]): string | undefined {
  // A third of the letters may be wrong: enough for a slip, too little to turn one word into another.
  let best: { readonly word: string; readonly distance: number } | undefined;
  for (const word of known) {
    const distance = editDistance(written.toLowerCase(), word);
    if (
      distance <= Math.max(1, Math.floor(word.length / 3)) &&
      distance < (best?.distance ?? Number.POSITIVE_INFINITY)
    ) {
      best = { word, distance };
    }
  }
  return best?.word;
}

/** Longer words than any known one need no exact distance. */
const longestWord = 64;

/** Levenshtein distance, a row at a time. */
function editDistance(a: string, b: string): number {
  if (a.length > longestWord) return a.length;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
