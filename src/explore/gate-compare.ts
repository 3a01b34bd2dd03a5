import type { Rule } from '../rules/rule.ts';
import { showFeatureDifferences } from '../arm64/features.ts';
import type { Verdict } from './check.ts';
import type { FileChange } from './gate-change.ts';
import type { Coverage } from './gate-coverage.ts';
import type { Effect } from './gate-effect.ts';
import { stopsAlike } from './gate-stops.ts';
import type { SideResult, SideRun } from './gate.ts';

/** What a patch does to a rule in one scenario on one machine. */
export type Change =
  | 'holds'
  | 'fixed'
  | 'broken-by-the-patch'
  | 'broken-before-as-well'
  /** Broken with the patch; whether it was before is not known. */
  | 'broken-before-unknown'
  | 'not-decided'
  /** Not decided without the patch either: by the same stop, or because a limit was reached. */
  | 'not-decided-before-as-well';

/** One rule in one scenario on one machine, on both sides. */
export interface Compared {
  readonly rule: Rule;
  readonly change: Change;
  readonly base: SideRun | null;
  readonly patched: SideRun;
}

/** The answer to the whole question. Only `verified` means that nothing was found and nothing left out. */
export type GateVerdict = Verdict | 'incomplete';

/** Puts the two sides beside each other. */
export function compareSides(
  base: SideResult,
  patched: SideResult,
  rules: readonly Rule[],
  changes: readonly FileChange[],
): readonly Compared[] {
  const before = new Map(base.runs.map((run) => [keyOf(run), run]));
  return patched.runs.flatMap((run) => {
    const other = before.get(keyOf(run)) ?? null;
    return rules.map((rule): Compared => {
      const was = other === null ? null : verdictOf(other, rule);
      const alike = other !== null && stopsAlike(other.stopped, run.stopped, changes);
      const change = changeOf(was, verdictOf(run, rule), alike);
      return { rule, change, base: other, patched: run };
    });
  });
}

function keyOf({ scenario, features }: SideRun): string {
  return `${scenario.name} | ${showFeatureDifferences(features)}`;
}

/** What a run says of a rule. */
export function verdictOf(run: SideRun, rule: Rule): Verdict {
  return run.outcomes.find((outcome) => outcome.rule === rule)?.verdict ?? 'inconclusive';
}

function changeOf(before: Verdict | null, after: Verdict, alike: boolean): Change {
  switch (after) {
    case 'refuted':
      if (before === 'refuted') return 'broken-before-as-well';
      return before === 'verified' ? 'broken-by-the-patch' : 'broken-before-unknown';
    case 'verified':
      return before === 'refuted' ? 'fixed' : 'holds';
    case 'inconclusive':
      return before === 'inconclusive' && alike ? 'not-decided-before-as-well' : 'not-decided';
  }
}

/** In this order one change of a rule stands for all its scenarios and machines. */
const WEIGHT: readonly Change[] = [
  'broken-by-the-patch',
  'broken-before-unknown',
  'broken-before-as-well',
  'not-decided',
  'not-decided-before-as-well',
  'fixed',
  'holds',
];

/** What to say of a rule over all scenarios and machines: the worst. */
export function changeOfRule(compared: readonly Compared[], rule: Rule): Change {
  const changes = compared.filter((one) => one.rule === rule).map(({ change }) => change);
  return WEIGHT.find((change) => changes.includes(change)) ?? 'not-decided';
}

/**
 * Refuted when the patched code breaks a rule, whoever began it. Otherwise incomplete when a changed
 * line was never executed: then nothing that was verified is about that line. A patch that was shown to
 * change no code needs no run.
 */
export function gateVerdict(
  patched: SideResult,
  covered: Coverage | null,
  effect: Effect | null = null,
): GateVerdict {
  const all = patched.runs.flatMap(({ outcomes }) => outcomes.map(({ verdict }) => verdict));
  if (all.includes('refuted')) return 'refuted';
  if (covered !== null && covered.missed.length > 0) return 'incomplete';
  if (covered !== null && all.length === 0)
    return isWithoutEffect(covered, effect) ? 'verified' : 'incomplete';
  if (all.length === 0 || all.includes('inconclusive')) return 'inconclusive';
  return 'verified';
}

/** Whether a patch has no line with code, and leaves all code that was compared as it was. */
function isWithoutEffect({ added, removed }: Coverage, effect: Effect | null): boolean {
  return added === 0 && removed === 0 && effect !== null && effect.changed.length === 0;
}
