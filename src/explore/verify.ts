import type { Features } from '../arm64/features.ts';
import type { Candidate } from '../candidates/candidate.ts';
import type { BoundsMet } from '../machine/bounds-met.ts';
import type { Rule } from '../rules/rule.ts';
import { isInputError, type InputError } from '../scenario/input-error.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Verdict } from './check.ts';
import { performCheck, type CheckJournal, type CheckTask } from './check-journal.ts';
import { scenarioLibrary, type NamedScenario, type Overrides } from './library.ts';
import type { SearchProgress } from './search.ts';
import { featureMatrix, unreadFeatures, variations } from './matrix.ts';

/** What is to be verified, and how far to go. */
export interface VerifyRequest {
  readonly candidate: Candidate;
  readonly rules: readonly Rule[];
  /** One machine, or null for the matrix. */
  readonly features: Features | null;
  /** One scenario, or null for the library. */
  readonly scenario: Scenario | null;
  readonly overrides: Overrides;
  /** Most states of one search. */
  readonly statesPerSearch: number;
  /** Most preemptions of a run; any number when not given. */
  readonly switches?: number | undefined;
  /** Whether the time is over; below the command line nobody has a clock. */
  readonly expired: () => boolean;
  /** Checks made before, by an earlier run or by other threads; and where new ones go. */
  readonly journal?: CheckJournal;
  /** Called before each search. */
  readonly onProgress?: (progress: Progress) => void;
  /** Told now and then how far a search is. */
  readonly onSearch?: (progress: SearchProgress) => void;
}

/** Where a verification is. */
export interface Progress {
  readonly features: Features;
  readonly scenario: string;
  readonly machinesDone: number;
  readonly machines: number;
}

/** What was found with one machine. */
export interface FeatureRun {
  readonly features: Features;
  /** `icache=vpipt` for a single change beside the matrix; null in the matrix. */
  readonly variation: string | null;
  readonly scenarios: readonly ScenarioRun[];
  readonly results: readonly RuleResult[];
}

/** One scenario with one machine. */
export interface ScenarioRun extends NamedScenario {
  readonly states: number;
  /** Runs were cut off at the most preemptions. */
  readonly cut: boolean;
  /** The machine's own bounds that kept something from happening. */
  readonly boundsMet: BoundsMet;
  readonly verdicts: readonly { readonly rule: string; readonly verdict: Verdict }[];
}

/** What all scenarios with one machine say of one rule. */
export interface RuleResult {
  readonly rule: Rule;
  readonly verdict: Verdict;
  readonly states: number;
  /** The first scenario that breaks it. */
  readonly refutedIn: NamedScenario | null;
  readonly message: string | null;
}

/** Everything a verification has found. */
export interface Verification {
  readonly candidate: Candidate;
  readonly rules: readonly Rule[];
  readonly verdict: Verdict;
  readonly runs: readonly FeatureRun[];
  /** Features that neither machine nor candidate looked at; empty when the user chose the machine. */
  readonly collapsed: readonly string[];
  readonly statesPerSearch: number;
  /** Most preemptions of a run; any number when not given. */
  readonly switches?: number;
}

/** Checks the candidate on all machines asked for, in all scenarios, for all rules. */
export function verify(request: VerifyRequest): Verification | InputError {
  const { candidate, rules } = request;
  const read = new Set<keyof Features>();
  const runs: FeatureRun[] = [];
  const chosen = request.scenario?.features ?? request.features;
  const matrix = chosen === null ? featureMatrix() : [chosen];
  let machines = matrix.length;
  const { expired, onSearch } = request;
  const limits = { expired, ...(onSearch === undefined ? {} : { watch: onSearch }) };

  function run(features: Features, variation: string | null, short: boolean): InputError | null {
    const scenarios =
      request.scenario === null
        ? scenarioLibrary(candidate, features, request.overrides)
        : [{ name: 'the scenario given', scenario: request.scenario }];
    const done: ScenarioRun[] = [];
    const outcomes = new Map<Rule, { states: number; refuted: RuleResult | null; open: boolean }>(
      rules.map((rule) => [rule, { states: 0, refuted: null, open: false }]),
    );
    for (const named of short ? shortLibrary(scenarios) : scenarios) {
      request.onProgress?.({
        features,
        scenario: named.name,
        machinesDone: runs.length,
        machines,
      });
      if (request.expired()) {
        for (const outcome of outcomes.values()) outcome.open = true;
        break;
      }
      const task: CheckTask = {
        scenario: { ...named.scenario, features },
        rules: rules.map(({ id }) => id),
        states: request.statesPerSearch,
        ...(request.switches === undefined ? {} : { switches: request.switches }),
      };
      const known = request.journal?.recall(task) ?? null;
      const keeper = known === null ? (request.journal?.keeper?.(task) ?? null) : null;
      const checked = known ?? performCheck(task, candidate, limits, { keeper });
      if (isInputError(checked)) {
        // In the library: a situation this machine cannot have, such as blocks of a missing level.
        if (request.scenario === null && Object.keys(request.overrides).length === 0) continue;
        return checked;
      }
      // What time ran out for is to be checked again.
      if (known === null && !request.expired()) request.journal?.record(task, checked);
      for (const field of checked.read) read.add(field);
      for (const { rule: id, verdict, message } of checked.outcomes) {
        const rule = rules.find((each) => each.id === id);
        const outcome = rule === undefined ? undefined : outcomes.get(rule);
        if (rule === undefined || outcome === undefined) continue;
        outcome.states += checked.states;
        if (verdict === 'inconclusive') outcome.open = true;
        if (verdict === 'refuted') {
          outcome.refuted ??= { rule, verdict, states: 0, refutedIn: named, message };
        }
      }
      done.push({
        ...named,
        states: checked.states,
        cut: checked.cut,
        boundsMet: checked.boundsMet,
        verdicts: checked.outcomes.map(({ rule, verdict }) => ({ rule, verdict })),
      });
    }
    runs.push({
      features,
      variation,
      scenarios: done,
      results: rules.map((rule): RuleResult => {
        const outcome = outcomes.get(rule);
        const states = outcome?.states ?? 0;
        const refuted = outcome?.refuted ?? null;
        if (refuted !== null) return { ...refuted, states };
        const open = outcome === undefined || outcome.open || done.length === 0;
        return {
          rule,
          verdict: open ? 'inconclusive' : 'verified',
          states,
          refutedIn: null,
          message: null,
        };
      }),
    });
    return null;
  }

  for (const features of matrix) {
    const problem = run(features, null, false);
    if (problem !== null) return problem;
  }
  if (chosen === null) {
    const varied = variations(read);
    machines += varied.reduce((sum, { points }) => sum + points.length, 0);
    for (const { word, points } of varied) {
      for (const features of points) {
        const problem = run(features, word, true);
        if (problem !== null) return problem;
      }
    }
  }
  const { statesPerSearch, switches } = request;
  const collapsed = chosen === null ? unreadFeatures(read) : [];
  return {
    candidate,
    rules,
    verdict: verdictOf(runs),
    runs,
    collapsed,
    statesPerSearch,
    ...(switches === undefined ? {} : { switches }),
  };
}

/** Scenarios at the head of the library that a single change of a feature is checked in. */
const SHORT = 2;

/**
 * The scenarios for a single change: the first ones, and every one in which a guest executes, for
 * nothing else shows what a kind of instruction cache changes.
 */
export function shortLibrary(scenarios: readonly NamedScenario[]): readonly NamedScenario[] {
  return scenarios.filter(
    ({ scenario: { guest } }, index) =>
      index < SHORT || (guest.kind === 'general' && guest.kinds.includes('execute')),
  );
}

/** Refuted if anything is; verified only if everything is. */
export function verdictOf(runs: readonly FeatureRun[]): Verdict {
  const all = runs.flatMap((run) => run.results.map(({ verdict }) => verdict));
  if (all.includes('refuted')) return 'refuted';
  return all.includes('inconclusive') ? 'inconclusive' : 'verified';
}
