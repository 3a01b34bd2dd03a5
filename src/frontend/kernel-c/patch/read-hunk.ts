import type { HunkLine, HunkReading } from './patch.ts';

/** Bound on the readings tried for one damaged hunk, so that no input makes the applier hang. */
const MAX_READINGS = 256;
const MAX_LINES = 20_000;

/**
 * Reads the lines of one hunk by the counts of its header, never by what the lines look like: the
 * mail signature `--` after a hunk is then not a removal, and a context line that lost its blank is
 * still context. Yields the reading that follows the markers first; then, for archives that dropped
 * the marker of a context line which itself begins with `-` or `+` (a bullet in a comment), those
 * that take such lines for context, fewest first.
 */
export function* readHunk(
  raw: readonly string[],
  oldCount: number,
  newCount: number,
): Generator<HunkReading> {
  const plain = byMarkers(raw, oldCount, newCount);
  if (plain !== null) yield { lines: plain, reinterpreted: 0 };
  if (oldCount + newCount > MAX_LINES) return;
  let yielded = 0;
  for (const chosen of reinterpretations(raw, oldCount, newCount)) {
    const lines = byMarkers(raw, oldCount, newCount, chosen);
    if (lines === null) continue;
    yield { lines, reinterpreted: chosen.size };
    yielded += 1;
    if (yielded >= MAX_READINGS) return;
  }
}

function byMarkers(
  raw: readonly string[],
  oldCount: number,
  newCount: number,
  asContext: ReadonlySet<number> = new Set(),
): HunkLine[] | null {
  const lines: HunkLine[] = [];
  let oldLeft = oldCount;
  let newLeft = newCount;
  let at = 0;
  for (; oldLeft > 0 || newLeft > 0; at++) {
    const line = raw[at];
    if (line === undefined) return null;
    const marker = line.charAt(0);
    if (marker === '\\') {
      markNoNewline(lines);
    } else if (marker === '+' && !asContext.has(at)) {
      newLeft -= 1;
      lines.push({ kind: 'add', text: line.slice(1), newline: true });
    } else if (marker === '-' && !asContext.has(at)) {
      oldLeft -= 1;
      lines.push({ kind: 'remove', text: line.slice(1), newline: true });
    } else {
      oldLeft -= 1;
      newLeft -= 1;
      lines.push({
        kind: 'context',
        text: marker === ' ' ? line.slice(1) : line,
        newline: true,
      });
    }
    if (oldLeft < 0 || newLeft < 0) return null;
  }
  if (raw[at]?.startsWith('\\ ') === true) markNoNewline(lines);
  return lines;
}

function markNoNewline(lines: HunkLine[]): void {
  const last = lines.pop();
  if (last !== undefined) lines.push({ ...last, newline: false });
}

/** Sets of line numbers that may be context in spite of their marker: singles, then pairs. */
function* reinterpretations(
  raw: readonly string[],
  oldCount: number,
  newCount: number,
): Generator<ReadonlySet<number>> {
  const marked: number[] = [];
  for (let i = 0; i < raw.length && i < oldCount + newCount; i++) {
    if (/^[-+]/.test(raw[i] ?? '')) marked.push(i);
  }
  for (const one of marked) yield new Set([one]);
  for (let i = 0; i < marked.length; i++) {
    for (let j = i + 1; j < marked.length; j++) {
      yield new Set([marked[i] ?? 0, marked[j] ?? 0]);
    }
  }
}
