import { attempt } from '../frontend/kernel-c/diagnostic.ts';
import type { Machine } from '../machine/machine.ts';
import type { Transition } from '../machine/transition.ts';
import type { Rule } from '../rules/rule.ts';
import { isInputError } from '../scenario/input-error.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Features } from '../arm64/features.ts';
import { breaks, smallestScenario } from './smallest-scenario.ts';
import { concernsProgress, findViolation, machineOf, type Subject } from './check.ts';
import { minimalRun } from './minimal-run.ts';
import { checkProgress } from './progress.ts';
import type { SearchLimits } from './search.ts';

/** A run that breaks a rule, in the smallest scenario in which it was found. */
export interface FoundRun {
  readonly scenario: Scenario;
  readonly machine: Machine;
  readonly steps: readonly Transition[];
  readonly message: string;
  /** All cheaper runs of this scenario have been looked at. */
  readonly minimal: boolean;
  /** What a minimal run costs first: its operations, as `minimalRun` counts them. */
  readonly operations: number | null;
  readonly explored: number;
  /** States of a proof that was given up; null where there is one, or none was tried. */
  readonly givenUp: number | null;
}

/** Most states of the search that proves a run minimal. */
const MINIMAL_LIMIT = 400_000;

/**
 * The canonical counterexample: the scenario is made small first, then the cheapest run in it is
 * looked for. When that takes too long a shortest run of the reduced search is given instead, and not
 * called minimal. Null when the rule is not broken within the limits.
 */
export function findCounterexample(
  scenario: Scenario,
  candidate: Subject,
  rule: Rule,
  limits: SearchLimits,
): FoundRun | null {
  return cheapestRun(smallestScenario(scenario, candidate, rule, limits), candidate, rule, limits);
}

/**
 * The same on another machine: the small scenario found before is taken over if it breaks the rule
 * there too.
 */
export function transferCounterexample(
  found: FoundRun,
  features: Features,
  original: Scenario,
  candidate: Subject,
  rule: Rule,
  limits: SearchLimits,
): FoundRun | null {
  const scenario = { ...found.scenario, features };
  return breaks(scenario, candidate, rule, limits)
    ? cheapestRun(scenario, candidate, rule, limits)
    : findCounterexample(original, candidate, rule, limits);
}

/**
 * The cheapest run that breaks the rule in this very scenario, or a shortest one of the reduced search
 * when the proof comes to its own limits.
 */
export function cheapestRun(
  scenario: Scenario,
  candidate: Subject,
  rule: Rule,
  limits: SearchLimits,
  proof: SearchLimits = { states: MINIMAL_LIMIT },
): FoundRun | null {
  const machine = machineOf(scenario, candidate);
  if (isInputError(machine)) return null;
  const states = Math.min(limits.states, proof.states);
  const most = { ...limits, ...proof, states };
  const cheapest = attempt(() => minimalRun(machine, candidate, rule, most));
  if (cheapest.kind === 'ok' && cheapest.value.kind === 'run') {
    const { steps, message, operations, explored } = cheapest.value;
    const found = { scenario, machine, steps, message, operations, explored };
    return { ...found, minimal: true, givenUp: null };
  }
  const tried = cheapest.kind === 'ok' && cheapest.value.kind === 'limit';
  const givenUp = tried ? cheapest.value.explored : null;
  const unproved = { scenario, machine, minimal: false, operations: null, givenUp };
  const shortest = findViolation(machine, [rule], limits, true);
  if (shortest.kind !== 'violation') {
    if (rule.id !== 'progress' || !concernsProgress(scenario)) return null;
    const graph = checkProgress(machine, { states: limits.states, reduced: true });
    if (graph.kind !== 'violation') return null;
    const { message } = graph.fact;
    return { ...unproved, steps: [...graph.lead, ...graph.loop], message, explored: graph.states };
  }
  const { trace: steps, message, states: explored } = shortest;
  return { ...unproved, steps, message, explored };
}
