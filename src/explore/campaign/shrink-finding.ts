import fc from 'fast-check';
import type { Candidate } from '../../candidates/candidate.ts';
import type { Rule } from '../../rules/rule.ts';
import { isInputError } from '../../scenario/input-error.ts';
import type { Replay } from '../../scenario/replay-file.ts';
import { replay } from '../../trace/replay.ts';
import { runArbitrary, type RunCase } from '../arbitrary.ts';
import { machineOf } from '../check.ts';
import { brokenAtEnd } from '../replay-verdict.ts';

/** How far to go with one finding. */
export interface ShrinkOptions {
  /** Whether features may be set back to their defaults: not where the user has chosen them. */
  readonly features: boolean;
  /** Asked between two attempts: what is smallest by then is the result. */
  readonly expired: () => boolean;
}

/**
 * A smaller run that breaks the same rule, or the run itself. Each step is strictly cheaper and is
 * checked before it counts, so the result is a finding whenever the shrinker is stopped.
 */
export function shrinkFinding(
  finding: Replay,
  candidate: Candidate,
  rule: Rule,
  options: ShrinkOptions,
): Replay {
  const { scenario, labels } = finding;
  const arbitrary = runArbitrary(fc.constant(scenario), {
    candidateOf: () => candidate,
    rules: [rule],
    shrinkFeatures: options.features,
    expired: options.expired,
  });
  let smallest: RunCase = { scenario, trace: labels, broken: rule.id };
  while (!options.expired()) {
    const [next] = arbitrary.shrink(smallest, undefined).take(1);
    if (next === undefined) break;
    smallest = next.value;
  }
  const small: Replay = { scenario: smallest.scenario, rule: rule.id, labels: smallest.trace };
  return brokenBy(small, candidate, rule) === null ? finding : small;
}

/** How a run breaks the rule, replayed strictly; null when it does not, or is no run any more. */
export function brokenBy(
  { scenario, labels }: Replay,
  candidate: Candidate,
  rule: Rule,
): string | null {
  const machine = machineOf(scenario, candidate);
  if (isInputError(machine)) return null;
  const run = replay(machine, labels);
  return run.kind === 'misfit' ? null : brokenAtEnd(machine, run, rule);
}
