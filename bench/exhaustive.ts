import { DEFAULT_FEATURES, type Features } from '../src/arm64/features.ts';
import type { Candidate } from '../src/candidates/candidate.ts';
import { CANDIDATES } from '../src/candidates/catalogue.ts';
import { deferredRangeFlush } from '../src/candidates/unmap-stage2-range/deferred-range-flush.ts';
import { perPageFlush } from '../src/candidates/unmap-stage2-range/per-page-flush.ts';
import { factAtEnd, machineOf } from '../src/explore/check.ts';
import { scenarioLibrary } from '../src/explore/library.ts';
import { search, type SearchLimits, type SearchResult } from '../src/explore/search.ts';
import { stateGraph } from '../src/explore/state-graph.ts';
import type { Machine } from '../src/machine/machine.ts';
import { MAX_WINDOW } from '../src/machine/window.ts';
import { ALL_RULES } from '../src/rules/all-rules.ts';
import { firstViolation } from '../src/rules/rule.ts';
import { isInputError } from '../src/scenario/input-error.ts';
import { defaultScenario } from '../src/scenario/scenario.ts';
import { stateSet } from '../src/util/state-set.ts';

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
  readonly wholeAccesses: boolean;
  readonly symmetric: boolean;
}

export const ALL: Reductions = { reduced: true, wholeAccesses: true, symmetric: true };
const NONE: Reductions = { reduced: false, wholeAccesses: false, symmetric: false };

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
export const PASSES: readonly Question[] = [
  {
    name: 'seed, FWB: verdict',
    candidate: deferredRangeFlush,
    features: { ...DEFAULT_FEATURES, fwb: true },
  },
  { name: 'baseline, no FWB: verdict', candidate: perPageFlush, features: DEFAULT_FEATURES },
];

const VCPUS = [1, 2, 3] as const;
const PAGES = [1, 2, 3, 4] as const;
/** Instructions in flight per PE, as in the default scenario. */
export const WINDOW = MAX_WINDOW;

/** Time to a verdict of seed and baseline, by the number of vCPUs and pages. */
export function verdictRows(now: () => number, states: number): readonly SearchRow[] {
  return [SEED_WITHOUT_FWB, ...PASSES].flatMap((question) =>
    VCPUS.flatMap((vcpus) =>
      PAGES.map((pages) => run({ ...question, vcpus, pages, window: WINDOW }, ALL, states, now)),
    ),
  );
}

/** Ways to search: without reductions, with each alone, with two of them, with all. */
export const WAYS: readonly Reductions[] = [
  NONE,
  { ...NONE, symmetric: true },
  { ...NONE, wholeAccesses: true },
  { ...NONE, reduced: true },
  { ...ALL, wholeAccesses: false },
  { ...ALL, symmetric: false },
  ALL,
];

/** One pass of the baseline searched in each way, at all sizes. */
export function reductionRows(
  now: () => number,
  states: number,
): readonly (readonly SearchRow[])[] {
  const [, baseline] = PASSES;
  if (baseline === undefined) return [];
  return VCPUS.flatMap((vcpus) =>
    PAGES.map((pages) =>
      WAYS.map((way) => run({ ...baseline, vcpus, pages, window: WINDOW }, way, states, now)),
    ),
  );
}

/** Sizes that plain search finishes, or may finish: window, vCPUs, pages. */
const FINISHED = [
  [4, 1, 1],
  [4, 1, 2],
  [4, 1, 3],
  [4, 1, 4],
  [3, 2, 1],
  [3, 2, 2],
  [2, 2, 2],
  [2, 2, 3],
  [2, 2, 4],
  [2, 3, 1],
  [2, 3, 2],
  [2, 3, 3],
] as const;

/** Plain search and all reductions where plain search finishes; the first of each pair is plain. */
export function factorRows(
  now: () => number,
  states: number,
): readonly { readonly window: number; readonly rows: readonly [SearchRow, SearchRow] }[] {
  const [, baseline] = PASSES;
  if (baseline === undefined) return [];
  return FINISHED.map(([window, vcpus, pages]) => {
    const question = { ...baseline, vcpus, pages, window };
    return {
      window,
      rows: [run(question, NONE, states, now), run(question, ALL, states, now)],
    };
  });
}

/** The library with a bound on instructions in flight. */
export interface WindowRow {
  readonly window: number;
  readonly situations: number;
  /** Situations in which some rule is broken. */
  readonly refuted: number;
  readonly limits: number;
  readonly states: number;
  readonly ms: number;
}

/** Every situation of the library, for every candidate, with and without FWB. */
export function windowRows(now: () => number, states: number): readonly WindowRow[] {
  return [8, 12, MAX_WINDOW].map((window) => {
    const row = { window, situations: 0, refuted: 0, limits: 0, states: 0 };
    const start = now();
    for (const fwb of [false, true]) {
      const features = { ...DEFAULT_FEATURES, fwb };
      for (const candidate of CANDIDATES) {
        for (const { scenario } of scenarioLibrary(candidate, features)) {
          const machine = machineOf({ ...scenario, window }, candidate);
          if (isInputError(machine)) continue;
          const result = searched(machine, ALL, states);
          row.situations += 1;
          row.states += result.states;
          if (result.kind === 'violation') row.refuted += 1;
          if (result.kind === 'limit') row.limits += 1;
        }
      }
    }
    return { ...row, ms: now() - start };
  });
}

/** What states are made of. */
export interface ContentRow {
  readonly size: string;
  readonly states: number;
  /** Of the set of states: its ids, hashes, parents and places. */
  readonly bytesPerState: number;
  /** Different contents of all components of all states. */
  readonly contents: number;
}

/** States of the seed with FWB, and how many contents they share. */
export function contentRows(limit: number): readonly ContentRow[] {
  const [seed] = PASSES;
  if (seed === undefined) return [];
  return VCPUS.flatMap((vcpus) =>
    PAGES.flatMap((pages) => {
      const machine = bench({ ...seed, vcpus, pages, window: WINDOW });
      const graph = stateGraph(machine, { limit, reduced: true, wholeAccesses: true });
      if (graph === null) return [];
      const set = stateSet(machine.initial.length);
      const contents = machine.initial.slice().fill(0);
      const met = Array.from(contents, () => new Set<number>());
      for (const state of graph.states) {
        set.add(state, -1);
        state.forEach((id, i) => met[i]?.add(id));
      }
      return [
        {
          size: `${vcpus} x ${pages}`,
          states: set.size(),
          bytesPerState: set.bytes() / set.size(),
          contents: met.reduce((sum, ids) => sum + ids.size, 0),
        },
      ];
    }),
  );
}

/** A question at a size. */
export interface SizedQuestion extends Question {
  readonly vcpus: number;
  readonly pages: number;
  readonly window: number;
}

function run(
  question: SizedQuestion,
  how: Reductions,
  states: number,
  now: () => number,
): SearchRow {
  const machine = bench(question);
  const start = now();
  const result = searched(machine, how, states);
  const ms = now() - start;
  return {
    question: question.name,
    size: `${question.vcpus} x ${question.pages}`,
    result: result.kind,
    states: result.states,
    transitions: result.transitions,
    ms,
  };
}

/** A search for the first violation; `watch`: `SearchLimits.watch`. */
export function searched(
  machine: Machine,
  how: Reductions,
  states: number,
  watch?: SearchLimits['watch'],
): SearchResult {
  return search(
    machine,
    { states, ...(watch === undefined ? {} : { watch }) },
    {
      ...how,
      violation: (facts) => firstViolation(ALL_RULES, facts)?.rule.id ?? null,
      endViolation(state) {
        const fact = factAtEnd(machine, state);
        return fact === null ? null : fact.kind;
      },
    },
  );
}

/** The default scenario; a general guest that writes, its MMU off. */
export function bench({ candidate, features, vcpus, pages, window }: SizedQuestion): Machine {
  const scenario = defaultScenario(candidate.id, features);
  const machine = machineOf(
    {
      ...scenario,
      vcpus,
      pages,
      window,
      layout: pages === 1 ? 'adjacent' : 'across',
      guest: { kind: 'general', kinds: ['write'] },
    },
    candidate,
  );
  if (isInputError(machine)) throw new Error(machine.message);
  return machine;
}
