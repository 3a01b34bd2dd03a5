import type { Hunk, HunkReading } from './patch.ts';
import { readHunk } from './read-hunk.ts';
import { indentFor } from './indent.ts';

/** What became of one hunk. */
export type HunkReport =
  | {
      readonly kind: 'applied';
      readonly hunk: number;
      /** First line of the hunk in the file before this patch, from 1. */
      readonly line: number;
      /** How far from the line that the header says, hunks before it taken into account. */
      readonly offset: number;
      readonly blanksIgnored: boolean;
      /** Lines that looked added or removed but had to be context. */
      readonly reinterpreted: number;
      /** In how many places the old lines occur; more than one and an offset is a guess. */
      readonly places: number;
      /** Lines of the patched file that this hunk added, from 1. */
      readonly added: readonly number[];
      /** Lines of the file before the patch that this hunk removed, from 1. */
      readonly removed: readonly number[];
    }
  | {
      readonly kind: 'does-not-apply';
      readonly hunk: number;
      /** Line of the patch text at which the hunk begins. */
      readonly patchLine: number;
      readonly line: number;
      readonly why: string;
    };

export interface HunkPlace {
  readonly report: HunkReport;
  /** First line replaced (from 0), how many, and by what; `null` when the hunk does not apply. */
  readonly edit: { readonly at: number; readonly remove: number; readonly lines: string[] } | null;
  readonly newlineAtEnd: boolean | null;
}

interface Candidate {
  readonly reading: HunkReading;
  readonly at: number;
  readonly blanksIgnored: boolean;
  readonly places: number;
}

/** Comparisons of lines that one hunk may cost; a real hunk needs some thousand. */
const SEARCH_BUDGET = 4_000_000;

/**
 * Finds where a hunk belongs: at the stated line if it can, else as near to it as possible; exactly
 * first, then with every run of blanks taken for one. Hunks keep their order, so the search begins at
 * `floor`. Context lines are taken from the file, not from the patch.
 */
export function placeHunk(
  hunk: Hunk,
  file: readonly string[],
  floor: number,
  drift: number,
): HunkPlace {
  const stated = Math.max(0, (hunk.oldCount === 0 ? hunk.oldStart : hunk.oldStart - 1) + drift);
  const search = { budget: SEARCH_BUDGET };
  let readings = 0;
  for (const reading of readHunk(hunk.raw, hunk.oldCount, hunk.newCount)) {
    readings += 1;
    const found = findPlace(reading, file, stated, floor, search);
    if (found !== null) return applied(hunk, found, file, stated);
    if (search.budget <= 0) break;
  }
  const why =
    readings === 0
      ? `the lines after the header do not add up to its counts (${hunk.oldCount} old, ${hunk.newCount} new): lines are missing or damaged`
      : search.budget <= 0
        ? 'the search was given up: the old lines repeat too often in the file'
        : mismatch(hunk, file, stated);
  return {
    report: {
      kind: 'does-not-apply',
      hunk: hunk.number,
      patchLine: hunk.line,
      line: stated + 1,
      why,
    },
    edit: null,
    newlineAtEnd: null,
  };
}

function findPlace(
  reading: HunkReading,
  file: readonly string[],
  stated: number,
  floor: number,
  search: { budget: number },
): Candidate | null {
  const old = reading.lines.flatMap((line) => (line.kind === 'add' ? [] : [line.text]));
  const oldBlank = old.map(oneBlank);
  const last = file.length - old.length;
  const passes = [
    { blanksIgnored: false, near: true },
    { blanksIgnored: true, near: true },
    { blanksIgnored: false, near: false },
    { blanksIgnored: true, near: false },
  ];
  for (const { blanksIgnored, near } of passes) {
    const matches = (at: number): boolean => {
      for (let i = 0; i < old.length; i++) {
        search.budget -= 1;
        const line = file[at + i] ?? '';
        if (line !== old[i] && !(blanksIgnored && oneBlank(line) === oldBlank[i])) return false;
      }
      return true;
    };
    if (near) {
      if (stated >= floor && stated <= last && matches(stated)) {
        return { reading, at: stated, blanksIgnored, places: 1 };
      }
      continue;
    }
    if (old.length === 0) return null;
    let best = -1;
    let places = 0;
    for (let at = floor; at <= last && search.budget > 0; at++) {
      if (!matches(at)) continue;
      places += 1;
      if (best < 0 || Math.abs(at - stated) < Math.abs(best - stated)) best = at;
    }
    if (best >= 0) return { reading, at: best, blanksIgnored, places };
  }
  return null;
}

function applied(hunk: Hunk, found: Candidate, file: readonly string[], stated: number): HunkPlace {
  const { reading, at, blanksIgnored, places } = found;
  const lines: string[] = [];
  const added: number[] = [];
  const removed: number[] = [];
  let cursor = at;
  let newlineAtEnd: boolean | null = null;
  const collapsed = blanksIgnored && !reading.lines.some((line) => /\t| {2}/.test(line.text));
  for (const line of reading.lines) {
    if (line.kind === 'add') {
      added.push(lines.length);
      const bare = line.text.trim();
      lines.push(collapsed ? indentFor(bare, lines, file[cursor] ?? '') + bare : line.text);
      newlineAtEnd = line.newline;
    } else {
      if (line.kind === 'remove') removed.push(cursor + 1);
      else {
        lines.push(file[cursor] ?? '');
        newlineAtEnd = null;
      }
      cursor += 1;
    }
  }
  return {
    report: {
      kind: 'applied',
      hunk: hunk.number,
      line: at + 1,
      offset: at - stated,
      blanksIgnored,
      reinterpreted: reading.reinterpreted,
      places,
      added,
      removed,
    },
    edit: { at, remove: cursor - at, lines },
    newlineAtEnd,
  };
}

/** Says which line of the hunk is not in the file, comparing at the stated place. */
function mismatch(hunk: Hunk, file: readonly string[], stated: number): string {
  const reading = hunk.reading ?? readHunk(hunk.raw, hunk.oldCount, hunk.newCount).next().value;
  const lines = reading?.lines ?? [];
  if (isApplied(lines, file)) return 'its new lines are already in the file: the patch is applied';
  let at = stated;
  for (const line of lines) {
    if (line.kind === 'add') continue;
    const there = file[at];
    if (there === undefined) {
      return `the file ends at line ${file.length}, before the hunk's old lines do`;
    }
    if (oneBlank(there) !== oneBlank(line.text)) {
      return `line ${at + 1} is "${clip(there)}" where the patch has "${clip(line.text)}", and the old lines are nowhere else`;
    }
    at += 1;
  }
  return 'its lines are only found before the place of an earlier hunk';
}

function isApplied(lines: HunkReading['lines'], file: readonly string[]): boolean {
  const after = lines.flatMap((line) => (line.kind === 'remove' ? [] : [oneBlank(line.text)]));
  if (after.length === 0 || lines.every((line) => line.kind === 'context')) return false;
  const first = after[0];
  for (let at = 0; at + after.length <= file.length; at++) {
    if (oneBlank(file[at] ?? '') !== first) continue;
    if (after.every((text, i) => oneBlank(file[at + i] ?? '') === text)) return true;
  }
  return false;
}

function oneBlank(line: string): string {
  return line.replace(/\s+/g, ' ').trim();
}

function clip(line: string): string {
  const shown = line.trim();
  return shown.length > 70 ? `${shown.slice(0, 67)}...` : shown;
}
