import fc from 'fast-check';
import type { Candidate } from '../candidates/candidate.ts';
import type { Machine } from '../machine/machine.ts';
import type { Transition } from '../machine/transition.ts';
import type { State } from '../machine/state.ts';
import type { Fact } from '../machine/facts.ts';
import { firstViolation, type Rule, type Violation } from '../rules/rule.ts';
import { isInputError } from '../scenario/input-error.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { compareCosts } from '../trace/cost.ts';
import { labelOf, type Label } from '../trace/label.ts';
import { replayLenient, type Executed } from '../trace/lenient.ts';
import { normalise } from '../trace/normalise.ts';
import { factAtEnd, machineOf } from './check.ts';
import { livelockAtEnd, looksForLivelocks } from './livelock.ts';
import { randomRun, randomSearch } from './random.ts';
import { costOf } from './scenario-cost.ts';
import { proposals } from './shrink.ts';
import { waitsForEver } from './waits-for-ever.ts';
import type { Strategy } from './strategy/strategy.ts';

/**
 * One run as plain data: the situation, and what was done, by name. It is the whole counterexample:
 * nothing else is needed to see it again, not the random seed and not fast-check.
 */
export interface RunCase {
  readonly scenario: Scenario;
  /** The steps taken, in order, up to the violation. */
  readonly trace: readonly Label[];
  /** Id of the rule the last step breaks; null: the run broke none. */
  readonly broken: string | null;
}

/** What runs are drawn from. */
export interface RunOptions {
  /** Looks up the candidate of a scenario. */
  readonly candidateOf: (id: string) => Candidate;
  /** What ends a run. One rule per property: the shrinker never goes from one rule to another. */
  readonly rules: readonly Rule[];
  readonly strategies?: readonly Strategy[];
  /** Most steps of a run. */
  readonly steps?: number;
  /** Whether the shrinker is to stop looking for something smaller; never when not given. */
  readonly expired?: () => boolean;
  /** Whether the shrinker may set features back to their defaults; no when not given. */
  readonly shrinkFeatures?: boolean;
}

/** Runs of scenarios: a random walk of each, and a shrinker that knows what a run is. */
export function runArbitrary(
  scenarios: fc.Arbitrary<Scenario>,
  options: RunOptions,
): fc.Arbitrary<RunCase> {
  return new RunArbitrary(scenarios, options);
}

/** Steps of the host that no label asks for, where it may take some. */
const CATCH_UP = 40;

/** Walks in a scenario where nothing that was known helps. */
const WALKS_AGAIN = 40;

/** Machines that are kept for the next candidate of the shrinker. */
const MACHINES_KEPT = 24;

/**
 * The one class of the project, because fast-check wants a subclass.
 *
 * The shrinker: a proposal of `shrink.ts` is replayed leniently, sliced and calmed down (`normalise`),
 * replayed again, and handed to fast-check only when it breaks the same rule and its cost tuple is
 * strictly smaller. So a shrunk value is a counterexample already, shrinking ends, and the last value
 * is a minimum among its neighbours. It needs no context: a stored example shrinks like a fresh one.
 */
class RunArbitrary extends fc.Arbitrary<RunCase> {
  readonly #scenarios: fc.Arbitrary<Scenario>;
  readonly #options: RunOptions;
  readonly #machines = new Map<string, Machine | null>();

  constructor(scenarios: fc.Arbitrary<Scenario>, options: RunOptions) {
    super();
    this.#scenarios = scenarios;
    this.#options = options;
  }

  override generate(mrng: fc.Random, biasFactor: number | undefined): fc.Value<RunCase> {
    const { value: scenario } = this.#scenarios.generate(mrng, biasFactor);
    const seed = mrng.nextInt();
    const machine = this.#machineOf(scenario);
    if (machine === null) throw new RangeError('a scenario was generated that cannot be built');
    const run = randomRun(machine, seed, {
      hosts: scenario.hosts,
      ...this.#options,
      livelocks: looksForLivelocks(scenario),
    });
    const trace = labelsOf(machine, run.steps);
    return new fc.Value({ scenario, trace, broken: run.violation?.rule.id ?? null }, undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is RunCase {
    if (typeof value !== 'object' || value === null) return false;
    if (!('scenario' in value) || !('trace' in value) || !('broken' in value)) return false;
    const { scenario, trace, broken } = value;
    if (typeof scenario !== 'object' || scenario === null || !Array.isArray(trace)) return false;
    return broken === null || typeof broken === 'string';
  }

  override shrink(value: RunCase): fc.Stream<fc.Value<RunCase>> {
    if (value.broken === null) return fc.Stream.nil();
    return fc.stream(this.#smaller(value, value.broken));
  }

  *#smaller(value: RunCase, rule: string): Generator<fc.Value<RunCase>, void> {
    const { scenario } = value;
    const machine = this.#machineOf(scenario);
    if (machine === null) return;
    const start = this.#replay(machine, scenario, value.trace, { finish: 0 });
    if (start.violation?.rule.id !== rule) return;
    const cost = costOf(scenario, value.trace);

    const itself = this.#attempt(scenario, value.trace, rule);
    if (itself !== null && compareCosts(costOf(scenario, itself), cost) < 0) {
      yield new fc.Value({ scenario, trace: itself, broken: rule }, undefined);
    }
    const from = {
      scenario,
      labels: start.labels,
      steps: start.steps,
      machine,
      setupOf: (other: Scenario) => this.#machineOf(other)?.setup ?? null,
      features: this.#options.shrinkFeatures ?? false,
    };
    for (const { scenario: other, labels, otherHost } of proposals(from)) {
      if (this.#options.expired?.() === true) return;
      if (compareCosts(costOf(other, []).slice(0, 4), cost.slice(0, 4)) > 0) continue;
      const trace =
        this.#attempt(other, labels, rule) ??
        (otherHost
          ? (this.#attempt(other, labels, rule, CATCH_UP) ?? this.#searchAgain(other, rule))
          : null);
      if (trace === null || compareCosts(costOf(other, trace), cost) >= 0) continue;
      yield new fc.Value({ scenario: other, trace, broken: rule }, undefined);
    }
  }

  /** The labels as they run in the scenario, calmed down, if they break the rule; else null. */
  #attempt(
    scenario: Scenario,
    labels: readonly Label[],
    rule: string,
    catchUp = 0,
  ): readonly Label[] | null {
    const machine = this.#machineOf(scenario);
    if (machine === null) return null;
    const run = this.#replay(machine, scenario, labels, { catchUp });
    if (run.violation?.rule.id !== rule) return null;
    const calm = normalise(machine, run.steps, run.labels);
    const again = this.#replay(machine, scenario, calm);
    if (again.violation?.rule.id !== rule) return run.labels;
    const better = compareCosts(costOf(scenario, again.labels), costOf(scenario, run.labels)) < 0;
    return better ? again.labels : run.labels;
  }

  /** Where the host does other things the old labels may be of no use: a few walks from scratch. */
  #searchAgain(scenario: Scenario, rule: string): readonly Label[] | null {
    const machine = this.#machineOf(scenario);
    if (machine === null) return null;
    const livelocks = looksForLivelocks(scenario);
    const options = { hosts: scenario.hosts, ...this.#options, livelocks };
    const { found } = randomSearch(machine, 1, { ...options, runs: WALKS_AGAIN });
    if (found === null) return null;
    return this.#attempt(scenario, labelsOf(machine, found.run.steps), rule);
  }

  #replay(
    machine: Machine,
    scenario: Scenario,
    labels: readonly Label[],
    how: { readonly finish?: number; readonly catchUp?: number } = {},
  ): Executed<Violation> {
    const { hosts } = scenario;
    const violation = (facts: readonly Fact[]): Violation | null =>
      firstViolation(this.#options.rules, facts);
    const endViolation = (state: State, steps: readonly Transition[]): Violation | null => {
      const isOver = machine.transitions(state).every(({ pe }) => pe < 0);
      const fact =
        (isOver ? factAtEnd(machine, state) : null) ??
        waitsForEver(machine, state) ??
        (scenario.guest.kind === 'persistent' ? livelockAtEnd(machine, steps) : null);
      return fact === null ? null : violation([fact]);
    };
    return replayLenient(machine, labels, { hosts, violation, endViolation, ...how });
  }

  /** The machine of a scenario, or null when its features cannot hold it. */
  #machineOf(scenario: Scenario): Machine | null {
    const key = JSON.stringify(scenario);
    let machine = this.#machines.get(key);
    if (machine === undefined) {
      machine = build(scenario, this.#options.candidateOf(scenario.candidate));
      if (this.#machines.size >= MACHINES_KEPT) {
        const [oldest] = this.#machines.keys();
        if (oldest !== undefined) this.#machines.delete(oldest);
      }
      this.#machines.set(key, machine);
    }
    return machine;
  }
}

function labelsOf(machine: Machine, steps: readonly Transition[]): readonly Label[] {
  let state = machine.initial;
  return steps.map((t) => {
    const label = labelOf(machine, state, t);
    state = t.next;
    return label;
  });
}

function build(scenario: Scenario, candidate: Candidate): Machine | null {
  const machine = machineOf(scenario, candidate);
  return isInputError(machine) ? null : machine;
}
