import { DEFAULT_FEATURES, type Features } from '../../src/arm64/features.ts';
import type { Candidate, Refutation } from '../../src/candidates/candidate.ts';
import { CANDIDATES } from '../../src/candidates/catalogue.ts';
import { deferredRangeFlush } from '../../src/candidates/unmap-stage2-range/deferred-range-flush.ts';
import { perPageFlush } from '../../src/candidates/unmap-stage2-range/per-page-flush.ts';
import { scenarioWith } from '../../src/explore/library.ts';
import { ALL_RULES } from '../../src/rules/all-rules.ts';
import { contentsAfterMap } from '../../src/rules/contents-after-map.ts';
import { instructionsAfterMap } from '../../src/rules/instructions-after-map.ts';
import type { Rule } from '../../src/rules/rule.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';

/** A candidate that is expected to break a rule: reasoned in `candidate.expected`, never observed. */
export interface KnownFailure {
  readonly rule: Rule;
  readonly candidate: Candidate;
  readonly refutation: Refutation;
  /** The scenario its expectation asks for, before it is made small. */
  readonly scenario: Scenario;
  /** Where its minimal run is kept, below `properties/corpus`. */
  readonly file: string;
}

/** Machines on which expectations differ, plainest first. */
const MACHINES: readonly Partial<Features>[] = [
  {},
  { fwb: true },
  { ttl: true },
  { icache: 'vpipt', vhe: false, e2h: false },
];

/** Cores with an erratum, and the other reading of the architecture: for baseline and seed. */
const UNUSUAL: readonly Partial<Features>[] = [
  { erratumRepeatTlbi: true },
  { fwb: true, readingTableDropByAnyIpa: false },
];

/**
 * Every pair of a rule and a candidate that is expected to break it, on the plainest machine where it
 * does.
 */
export const KNOWN_FAILURES: readonly KnownFailure[] = CANDIDATES.flatMap((candidate) => {
  const unusual = candidate === perPageFlush || candidate === deferredRangeFlush ? UNUSUAL : [];
  const found = new Map<Rule, KnownFailure>();
  for (const change of [...MACHINES, ...unusual]) {
    const features: Features = { ...DEFAULT_FEATURES, ...change };
    const expected = candidate.expected(features);
    if (expected.verdict === 'holds') continue;
    for (const refutation of expected.refutations) {
      const rule = ruleOf(refutation);
      if (found.has(rule)) continue;
      const scenario = scenarioWith(candidate, features, refutation.needs);
      const file = `${rule.id}/${candidate.id.replace('/', '--')}.replay.json`;
      found.set(rule, { rule, candidate, refutation, scenario, file });
    }
  }
  return [...found.values()];
});

/** The rule a refutation is about. The family P5 has three: data out, data in, and instructions. */
export function ruleOf({ rule: family, needs }: Refutation): Rule {
  if (needs.includes('executed-again')) return instructionsAfterMap;
  if (needs.includes('read-again')) return contentsAfterMap;
  const rule = ALL_RULES.find((each) => each.family === family);
  if (rule === undefined) throw new RangeError(`no rule of the family ${family}`);
  return rule;
}
