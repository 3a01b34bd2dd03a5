import type { Features } from '../arm64/features.ts';
import { coverLines } from '../frontend/kernel-c/line-coverage/line-coverage.ts';
import { ownersOf, reachableFrom } from '../frontend/kernel-c/line-coverage/reach.ts';
import { linesWithTokens } from '../frontend/kernel-c/line-coverage/tokens-on.ts';
import type { TokenStream } from '../frontend/kernel-c/preprocess/token-stream.ts';
import type { ReadFile } from '../frontend/kernel-c/read-file.ts';
import type { Program } from '../frontend/kernel-c/vm/program.ts';
import type { KernelScenario, LoadedTree } from '../scenario/kernel/family.ts';
import { type FileChange, lineInOther } from './gate-change.ts';
import { type Effect, missedEffects } from './gate-effect.ts';
import type { Side } from './gate.ts';

/** A line that the patch adds or removes and that no scenario executed. */
export interface MissedLine {
  readonly file: string;
  readonly line: number;
  /** `patched` for an added line, `base` for a removed one. */
  readonly side: Side;
  readonly why: string;
}

/** How much of what a patch changes was executed. */
export interface Coverage {
  /** Added lines that hold code. */
  readonly added: number;
  /** Of these, the ones that were executed, with their branches in both directions. */
  readonly executed: number;
  /** Added lines without code. */
  readonly withoutCode: number;
  /** Removed lines that held code, and those of them that the base executed. */
  readonly removed: number;
  readonly removedExecuted: number;
  readonly missed: readonly MissedLine[];
}

/** What the scenarios that were run made of the lines of a patch. */
export function coverage(
  changes: readonly FileChange[],
  base: LoadedTree,
  patched: LoadedTree,
  texts: { readonly before: ReadFile; readonly after: ReadFile },
  effect: Effect | null,
): Coverage {
  const missed: MissedLine[] = [...missedEffects(effect)];
  const count = { executed: 0, 'no-code': 0, missed: 0, 'one-way': 0 };
  const unchanged = { executed: 0, 'no-code': 0, missed: 0, 'one-way': 0 };
  const before = { executed: 0, 'no-code': 0, missed: 0, 'one-way': 0 };
  for (const change of changes) {
    const { path, oldPath, hunks } = change;
    const judge = (
      side: Side,
      file: string,
      lines: readonly number[],
      into: typeof count,
      bothWays: boolean,
    ): void => {
      const text = (side === 'patched' ? texts.after : texts.before)(file) ?? '';
      const programs = programsOf(side === 'patched' ? patched : base);
      for (const [line, found] of coverLines(programs, file, text, lines)) {
        into[found.kind] += 1;
        if (found.kind === 'missed' || (found.kind === 'one-way' && bothWays)) {
          missed.push({ file, line, side, why: found.why });
        }
      }
    };
    const added = hunks.flatMap((hunk) => hunk.added);
    const removed = hunks.flatMap((hunk) => hunk.removed);
    judge('patched', path, added, count, true);
    // Which way a condition went that was there before is not asked: that it was come to is enough.
    judge('patched', path, linesOfOneSide(change, 'patched', base, patched), unchanged, false);
    judge('base', oldPath, removed, before, false);
    judge('base', oldPath, linesOfOneSide(change, 'base', base, patched), unchanged, false);
  }
  return {
    added: count.executed + count.missed + count['one-way'],
    executed: count.executed,
    withoutCode: count['no-code'],
    removed: before.executed + before.missed + before['one-way'],
    removedExecuted: before.executed + before['one-way'],
    missed,
  };
}

/**
 * Unchanged lines of a file that are compiled on one side only: a condition of the preprocessor lets them
 * in there and keeps them out on the other.
 */
function linesOfOneSide(
  change: FileChange,
  side: Side,
  base: LoadedTree,
  patched: LoadedTree,
): readonly number[] {
  const before = linesWithTokens(streamsOf(base), change.oldPath);
  const after = linesWithTokens(streamsOf(patched), change.path);
  const [own, other] = side === 'patched' ? [after, before] : [before, after];
  return [...own].filter((line) => {
    const same = lineInOther(change, side === 'patched' ? 'after' : 'before', line);
    return same !== null && !other.has(same);
  });
}

function programsOf(tree: LoadedTree): readonly Program[] {
  return tree.kernels().map(({ program }) => program);
}

function streamsOf(tree: LoadedTree): readonly TokenStream[] {
  return programsOf(tree).flatMap(({ units }) => units.map(({ unit }) => unit.stream));
}

/** The scenarios whose entries can come to something that the patch changes, on either side, or has an effect on. */
export function scenariosReached(
  scenarios: readonly KernelScenario[],
  changes: readonly FileChange[],
  base: LoadedTree,
  patched: LoadedTree,
  effect: Effect | null,
): readonly KernelScenario[] {
  const chosen = new Set<KernelScenario>();
  for (const side of ['base', 'patched'] as const) {
    const lines = changes.map((change) => ({
      file: side === 'patched' ? change.path : change.oldPath,
      lines: [
        ...change.hunks.flatMap((hunk) => (side === 'patched' ? hunk.added : hunk.removed)),
        ...linesOfOneSide(change, side, base, patched),
      ],
    }));
    for (const program of programsOf(side === 'patched' ? patched : base)) {
      const changed = new Set([
        ...lines.flatMap((one) => [...ownersOf(program, one.file, one.lines)]),
        ...(effect?.changed ?? [])
          .filter(({ before, after }) => before === program || after === program)
          .map(({ key }) => key),
      ]);
      if (changed.size === 0) continue;
      const reached = new Map<string, boolean>();
      for (const scenario of scenarios) {
        const key = scenario.entries.join(' ');
        let found = reached.get(key);
        if (found === undefined) {
          const names = reachableFrom(program, scenario.entries);
          found = [...changed].some((name) => names.has(name));
          reached.set(key, found);
        }
        if (found) chosen.add(scenario);
      }
    }
  }
  return scenarios.filter((scenario) => chosen.has(scenario));
}

/** Has a tree load the units of every kind of host among the machines, before they are asked about. */
export function loadUnits(tree: LoadedTree, machines: readonly Features[]): void {
  const [scenario] = tree.scenarios;
  if (scenario === undefined) return;
  for (const vhe of [true, false]) {
    const features = machines.find((machine) => machine.vhe === vhe);
    // What cannot be loaded is said by the runs.
    if (features !== undefined) tree.prepare(scenario, features);
  }
}
