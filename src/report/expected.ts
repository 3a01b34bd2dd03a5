import type { Verdict } from '../explore/check.ts';
import type { FeatureRun, Verification } from '../explore/verify.ts';

/** Refuted if any rule is; verified only if all are. */
export function runVerdict(run: FeatureRun): Verdict {
  const all = run.results.map(({ verdict }) => verdict);
  if (all.includes('refuted')) return 'refuted';
  return all.includes('inconclusive') ? 'inconclusive' : 'verified';
}

/** Machines of the matrix on which the verdict is not the one the candidate states. */
export function unexpectedRuns({ candidate, runs, rules }: Verification): readonly FeatureRun[] {
  return runs.filter((run) => {
    const expected = candidate.expected(run.features);
    const verdict = runVerdict(run);
    if (verdict === 'inconclusive') return false;
    if (expected.verdict === 'holds') return verdict === 'refuted';
    // With some of the rules only, a refutation of another rule is not seen.
    const families = expected.refutations.map(({ rule }) => rule);
    return verdict === 'verified' && rules.some(({ family }) => families.includes(family));
  });
}
