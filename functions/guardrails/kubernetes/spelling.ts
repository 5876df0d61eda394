/** A name that differs from a known one in so many characters is misspelt. */
const MOST_TYPOS = 2;

/** The text of a list that a text equals, or else one that it is near to. */
export function nearestOf(text: string, list: readonly string[]): string | undefined {
  return list.includes(text) ? text : list.find((one) => isNear(text, one));
}

/** Whether a text becomes a known one by at most so many insertions, deletions and replacements (Levenshtein). */
export function isNear(text: string, known: string, mostTypos = MOST_TYPOS): boolean {
  if (Math.abs(text.length - known.length) > mostTypos) return false;
  let row = Array.from({ length: known.length + 1 }, (_, i) => i);
  for (let i = 0; i < text.length; i++) {
    const next = [i + 1];
    for (let j = 1; j < row.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (text[i] === known[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return (row.at(-1) ?? Infinity) <= mostTypos;
}
