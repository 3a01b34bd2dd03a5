/** Number of single-character edits (swaps of neighbours included) between two words. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** The known word nearest to what was written, or null when none is near enough to suggest. */
export function closest(written: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let distance = Math.max(2, Math.floor(written.length / 3)) + 1;
  for (const word of known) {
    const d = editDistance(written, word);
    if (d < distance) {
      best = word;
      distance = d;
    }
  }
  if (best !== null) return best;
  // Half of an id is a common slip: `per-page-flush` for `unmap-stage2-range/per-page-flush`.
  return written.length < 3 ? null : (known.find((word) => word.includes(written)) ?? null);
}

/** ` Did you mean "x"?`, or nothing. */
export function didYouMean(written: string, known: readonly string[]): string {
  const found = closest(written, known);
  return found === null ? '' : ` Did you mean "${found}"?`;
}
