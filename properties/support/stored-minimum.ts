import { findCounterexample } from '../../src/explore/counterexample-search.ts';
import { writeReplay } from '../../src/scenario/replay-file.ts';
import { labelsOf } from '../../src/trace/replay.ts';
import type { KnownFailure } from './known-failures.ts';

/** Far more than any of the small scenarios needs. */
const LIMITS = { states: 400_000 };

/** A minimal run, and whether all cheaper ones have been looked at. */
export interface Minimum {
  /** The replay file. */
  readonly text: string;
  readonly minimal: boolean;
  readonly explored: number;
}

/** The minimal run of a known failure, found from scratch; null when the rule is not broken. */
export function minimumOf({ scenario, candidate, rule }: KnownFailure): Minimum | null {
  const found = findCounterexample(scenario, candidate, rule, LIMITS);
  if (found === null) return null;
  const { machine, steps, minimal, explored } = found;
  const labels = labelsOf(machine, steps);
  return {
    text: writeReplay({ scenario: found.scenario, rule: rule.id, labels }),
    minimal,
    explored,
  };
}
