import type { Features } from '../arm64/features.ts';
import type { Candidate } from '../candidates/candidate.ts';
import { mutants } from '../candidates/mutants/mutate.ts';
import { buildWorld } from '../candidates/world/world.ts';
import { isInputError } from '../scenario/input-error.ts';
import { checkScenario } from './check.ts';
import type { SearchLimits } from './search.ts';
import type { ScenarioRun, Verification } from './verify.ts';

/** What the removal of one step does to a pass: a pass that survives all of them is no evidence. */
export interface Removal {
  /** The step, by its place in the source. */
  readonly site: string;
  /** Rule that falls without it; null when none does in the scenarios looked at. */
  readonly rule: string | null;
}

/** Scenarios with more states than this are left out: each removal searches all of the others. */
const SMALL = 12_000;

/** Removals looked at. */
const MOST = 16;

/** Instructions whose removal is tried: what orders and invalidates. */
const REMOVED = /^(dsb|dc|ic|[A-Z]\w*) /;

/**
 * Takes one barrier, TLBI or cache operation away at a time and looks for a broken rule in the smaller
 * scenarios of a verification, with and without FWB where both were verified.
 */
export function sensitivity(verification: Verification, limits: SearchLimits): readonly Removal[] {
  const { candidate, rules, runs } = verification;
  const points = runs.filter(
    ({ variation, features }, i) =>
      variation === null && (i === 0 || (features.granule === '4k' && features.vhe)),
  );
  const first = points[0];
  if (first === undefined) return [];
  const seen = new Map<string, Candidate>();
  for (const { features } of points) {
    for (const { site, kind, candidate: mutant } of mutantsOf(candidate, features)) {
      if (kind === 'drop' && REMOVED.test(site) && !seen.has(site)) seen.set(site, mutant);
    }
  }
  const situations = points
    .flatMap(({ features, scenarios }) => scenarios.map((run) => ({ features, run })))
    .filter(({ run }) => run.states <= SMALL)
    .sort((a, b) => a.run.states - b.run.states);
  const fallen = (mutant: Candidate, features: Features, run: ScenarioRun): string | null => {
    const checked = checkScenario({ ...run.scenario, features }, mutant, rules, limits);
    if (isInputError(checked)) return null;
    return checked.outcomes.find(({ verdict }) => verdict === 'refuted')?.rule.id ?? null;
  };
  const removals: Removal[] = [];
  for (const [site, mutant] of seen) {
    if (removals.length >= MOST || limits.expired?.() === true) break;
    let rule: string | null = null;
    for (const { features, run } of situations) {
      rule = fallen(mutant, features, run);
      if (rule !== null) break;
    }
    removals.push({ site, rule });
  }
  return removals;
}

function mutantsOf(candidate: Candidate, features: Features): ReturnType<typeof mutants> {
  const world = buildWorld({
    features,
    pages: 2,
    layout: candidate.operation === 'block' ? 'in-block' : 'across',
    sparePages: 1,
  });
  return mutants(candidate, world);
}
