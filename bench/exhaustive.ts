import { DEFAULT_FEATURES, type Features } from '../src/arm64/features.ts';
import type { Candidate } from '../src/candidates/candidate.ts';
import { deferredRangeFlush } from '../src/candidates/unmap-stage2-range/deferred-range-flush.ts';
import { perPageFlush } from '../src/candidates/unmap-stage2-range/per-page-flush.ts';
import { factAtEnd, machineOf } from '../src/explore/check.ts';
import { search, type SearchResult } from '../src/explore/search.ts';
import type { Machine } from '../src/machine/machine.ts';
import { ALL_RULES } from '../src/rules/all-rules.ts';
import { firstViolation } from '../src/rules/rule.ts';
import { isInputError } from '../src/scenario/input-error.ts';
import { defaultScenario } from '../src/scenario/scenario.ts';

/** How a search went. */
export interface SearchRow {
  readonly question: string;
  /** vCPUs x pages. */
  readonly size: string;
  readonly result: SearchResult['kind'];
  readonly states: number;
  readonly transitions: number;
  readonly ms: number;
}

/** Switches of the search. */
export interface Reductions {
  readonly reduced: boolean;
  readonly symmetric: boolean;
}

interface Question {
  readonly name: string;
  readonly candidate: Candidate;
  readonly features: Features;
}

const SEED_WITHOUT_FWB: Question = {
  name: 'seed, no FWB: first counterexample',
  candidate: deferredRangeFlush,
  features: DEFAULT_FEATURES,
};

/** Questions whose answer is a pass: the whole state space is looked at. */
const PASSES: readonly Question[] = [
  {
    name: 'seed, FWB: verdict',
    candidate: deferredRangeFlush,
    features: { ...DEFAULT_FEATURES, fwb: true },
  },
  { name: 'baseline, no FWB: verdict', candidate: perPageFlush, features: DEFAULT_FEATURES },
];

const VCPUS = [1, 2, 3] as const;
const PAGES = [1, 2, 4] as const;

/** Time to a verdict of seed and baseline, by the number of vCPUs and pages. */
export function verdictRows(now: () => number, states: number): readonly SearchRow[] {
  return [SEED_WITHOUT_FWB, ...PASSES].flatMap((question) =>
    VCPUS.flatMap((vcpus) =>
      PAGES.map((pages) =>
        run(question, vcpus, pages, { reduced: true, symmetric: true }, states, now),
      ),
    ),
  );
}

/** The four ways to search: without reductions, with each alone, with both. */
export const WAYS: readonly Reductions[] = [
  { reduced: false, symmetric: false },
  { reduced: true, symmetric: false },
  { reduced: false, symmetric: true },
  { reduced: true, symmetric: true },
];

/** One pass of the baseline searched in each way, for sizes that can be finished without reductions. */
export function reductionRows(
  now: () => number,
  states: number,
): readonly (readonly SearchRow[])[] {
  const [, baseline] = PASSES;
  if (baseline === undefined) return [];
  return [
    [1, 1],
    [2, 1],
    [1, 2],
  ].map(([vcpus = 1, pages = 1]) =>
    WAYS.map((way) => run(baseline, vcpus, pages, way, states, now)),
  );
}

function run(
  { name, candidate, features }: Question,
  vcpus: number,
  pages: number,
  how: Reductions,
  states: number,
  now: () => number,
): SearchRow {
  const machine = bench(candidate, features, vcpus, pages);
  const start = now();
  const result = search(
    machine,
    { states },
    {
      ...how,
      violation: (facts) => firstViolation(ALL_RULES, facts)?.rule.id ?? null,
      endViolation(state) {
        const fact = factAtEnd(machine, state);
        return fact === null ? null : fact.kind;
      },
    },
  );
  const ms = now() - start;
  return {
    question: name,
    size: `${vcpus} x ${pages}`,
    result: result.kind,
    states: result.states,
    transitions: result.transitions,
    ms,
  };
}

/** The default scenario; a general guest that writes, its MMU off. */
function bench(candidate: Candidate, features: Features, vcpus: number, pages: number): Machine {
  const scenario = defaultScenario(candidate.id, features);
  const machine = machineOf(
    {
      ...scenario,
      vcpus,
      pages,
      layout: pages === 1 ? 'adjacent' : 'across',
      guest: { kind: 'general', kinds: ['write'] },
    },
    candidate,
  );
  if (isInputError(machine)) throw new Error(machine.message);
  return machine;
}
