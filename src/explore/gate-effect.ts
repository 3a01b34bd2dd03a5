import { ownersOf } from '../frontend/kernel-c/line-coverage/reach.ts';
import { rawLines } from '../frontend/kernel-c/line-coverage/raw-lines.ts';
import {
  definitionOf,
  differingCode,
  wasExecuted,
} from '../frontend/kernel-c/line-coverage/same-code.ts';
import type { ReadFile } from '../frontend/kernel-c/read-file.ts';
import type { Program } from '../frontend/kernel-c/vm/program.ts';
import type { KernelScenario, LoadedTree } from '../scenario/kernel/family.ts';
import type { FileChange } from './gate-change.ts';
import type { MissedLine } from './gate-coverage.ts';

/** What the lines of a patch that stand in no function do to the code of functions. */
export interface Effect {
  /** Functions and objects that were compared, before and after. */
  readonly compared: number;
  /** Those that are lowered to other code although none of their lines has changed. */
  readonly changed: readonly ChangedCode[];
}

/** A function or an object in a program with the patch, and without. */
export interface ChangedCode {
  readonly before: Program;
  readonly after: Program;
  /** `unit:name`. */
  readonly key: string;
}

/**
 * Compares the code of both sides where a patch changes lines that belong to no function: declarations,
 * types, enumerators, macros; or where no line of it holds code. `null` when its lines say it all, and when
 * it changes no file of the kernel.
 */
export function effectOf(
  changes: readonly FileChange[],
  base: LoadedTree,
  patched: LoadedTree,
  texts: { readonly before: ReadFile; readonly after: ReadFile },
  scenarios: readonly KernelScenario[],
): Effect | null {
  if (changes.length === 0) return null;
  const sides = changes.map(({ path, oldPath, hunks }) => ({
    path,
    oldPath,
    added: hunks.flatMap((hunk) => hunk.added),
    removed: hunks.flatMap((hunk) => hunk.removed),
  }));
  const pairs = pairsOf(base, patched);
  const stands = (program: Program, file: string, line: number): boolean =>
    ownersOf(program, file, [line]).size > 0;
  const isOutside = sides.some(
    ({ path, oldPath, added, removed }) =>
      codeLines(texts.after(path), added).some(
        (line) => !pairs.some(({ after }) => stands(after, path, line)),
      ) ||
      codeLines(texts.before(oldPath), removed).some(
        (line) => !pairs.some(({ before }) => stands(before, oldPath, line)),
      ),
  );
  const hasCode = sides.some(
    ({ path, oldPath, added, removed }) =>
      codeLines(texts.after(path), added).length +
        codeLines(texts.before(oldPath), removed).length >
      0,
  );
  if (hasCode && !isOutside) return null;
  const entries = scenarios.flatMap((scenario) => scenario.entries);
  let compared = 0;
  const changed: ChangedCode[] = [];
  for (const { before, after, files } of pairs) {
    const owned = new Set(
      sides.flatMap(({ path, oldPath, added, removed }) => [
        ...ownersOf(after, path, added),
        ...ownersOf(before, oldPath, removed),
      ]),
    );
    const found = differingCode(before, after, entries, files);
    compared = Math.max(compared, found.compared);
    for (const key of found.differing) {
      if (!owned.has(key)) changed.push({ before, after, key });
    }
  }
  return { compared, changed };
}

/** Code that changes with a declaration and that no run has come to; nothing was said about it. */
export function missedEffects(effect: Effect | null): readonly MissedLine[] {
  const executed = new Set<string>();
  const missed = new Map<string, MissedLine>();
  for (const { after, key } of effect?.changed ?? []) {
    const place = definitionOf(after, key);
    if (place === null) continue;
    const { file, line } = place;
    const at = `${file}:${line}`;
    if (wasExecuted(after, key)) executed.add(at);
    const name = key.split(':')[1] ?? key;
    const why = `what the patch declares changes ${name}, and no scenario that was run comes there`;
    missed.set(at, { file, line, side: 'patched', why });
  }
  return [...missed].filter(([at]) => !executed.has(at)).map(([, line]) => line);
}

/** Lines that hold anything but comments. */
function codeLines(text: string | null, lines: readonly number[]): readonly number[] {
  if (text === null || lines.length === 0) return [];
  const raw = rawLines(text, lines);
  return lines.filter((line) => raw.get(line) !== 'blank');
}

interface Pair {
  readonly before: Program;
  readonly after: Program;
  /** The units' own files. */
  readonly files: ReadonlySet<string>;
}

/** The programs of both sides for the same kind of host. */
function pairsOf(base: LoadedTree, patched: LoadedTree): readonly Pair[] {
  return base.kernels().flatMap(({ profile, program }) => {
    const other = patched
      .kernels()
      .find((kernel) => kernel.profile.vhe === profile.vhe && kernel.profile.name === profile.name);
    if (other === undefined) return [];
    return [{ before: program, after: other.program, files: new Set(profile.units) }];
  });
}
