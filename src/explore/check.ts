import type { Candidate } from '../candidates/candidate.ts';
import { attempt, type Diagnostic } from '../frontend/kernel-c/diagnostic.ts';
import { NO_BOUNDS_MET, type BoundsMet } from '../machine/bounds-met.ts';
import type { Fact } from '../machine/facts.ts';
import { createMachine, type Machine } from '../machine/machine.ts';
import type { MachineSetup } from '../machine/setup.ts';
import type { Transition } from '../machine/transition.ts';
import type { State } from '../machine/state.ts';
import { firstViolation, type Rule } from '../rules/rule.ts';
import { tablesChangeUnderLock } from '../rules/tables-change-under-lock.ts';
import { buildSetup } from '../scenario/build.ts';
import { ImpossibleScenario, orImpossible } from '../scenario/impossible-scenario.ts';
import { inputError, type InputError } from '../scenario/input-error.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { checkProgress } from './progress.ts';
import {
  keepIds,
  LeftToOne,
  type CheckInWork,
  type CheckKeeper,
  type CheckSnapshot,
} from './kept-check.ts';
import { search, type SearchBasis, type SearchHooks, type SearchLimits } from './search.ts';
import type { SearchSnapshot } from './search-snapshot.ts';

/** What can be said of a rule. A limit reached is never a pass. */
export type Verdict = 'verified' | 'refuted' | 'inconclusive';

/** What a search said of one rule in one scenario. */
export interface RuleOutcome {
  readonly rule: Rule;
  readonly verdict: Verdict;
  /** How it was broken, in one sentence. */
  readonly message: string | null;
}

/** What was found out about one scenario. */
export interface Checked {
  readonly outcomes: readonly RuleOutcome[];
  /** States of all searches made. */
  readonly states: number;
  /** Runs were cut off at the most preemptions, so that no rule is verified. */
  readonly cut: boolean;
  /** The machine's own bounds that kept something from happening. */
  readonly boundsMet: BoundsMet;
  /** Where kernel code came to something that has no meaning here, so that the search ended. */
  readonly stopped: Diagnostic | null;
}

/** How a check is made, when not from its beginning to its end by one thread. */
export interface CheckUse {
  /** Keeps it. The machine has to be new then. */
  readonly keeper?: CheckKeeper;
  /** Makes a search instead of `findViolation`. */
  readonly find?: (
    machine: Machine,
    rules: readonly Rule[],
    limits: SearchLimits,
    reduced: boolean,
    basis: SearchBasis | undefined,
    check: CheckInWork,
  ) => Found;
}

/** Code that is no candidate of ours and makes the machine of a scenario itself. */
export interface MachineSubject extends Pick<Candidate, 'id' | 'mirrors'> {
  /** Throws a RangeError for a scenario that it cannot have. */
  readonly setup: (scenario: Scenario) => MachineSetup;
}

/** What can be checked in a scenario. */
export type Subject = Candidate | MachineSubject;

/**
 * The machine of a scenario, or why there is none: its features cannot hold it. A candidate whose code
 * throws is another matter: its `CandidateFailure` goes through to the command line.
 */
export function machineOf(scenario: Scenario, subject: Subject): Machine | InputError {
  try {
    return createMachine(
      'setup' in subject
        ? orImpossible(() => subject.setup(scenario))
        : buildSetup(scenario, subject),
    );
  } catch (problem) {
    if (!(problem instanceof ImpossibleScenario)) throw problem;
    return inputError(
      'scenario-impossible',
      `this scenario cannot be built for ${scenario.candidate}: ${problem.message}.`,
    );
  }
}

/** The fact that a state without transitions shows: somebody waits for ever. */
export function factAtEnd(machine: Machine, state: State): Fact | null {
  return machine.end(state) === 'deadlock'
    ? { kind: 'no-progress', message: 'a thread waits for ever for a lock that nobody gives back' }
    : null;
}

/**
 * Looks for violations of all rules at once; when one is found, looks again without that rule, so
 * that every rule gets a verdict of its own. Rules that were not broken before kernel code came to
 * something without a meaning stay inconclusive.
 */
export function checkScenario(
  scenario: Scenario,
  subject: Subject,
  rules: readonly Rule[],
  limits: SearchLimits,
  onViolation?: (rule: Rule, machine: Machine, trace: readonly Transition[]) => void,
  how: CheckUse = {},
): Checked | InputError {
  const made = attempt(() => machineOf(scenario, subject));
  if (made.kind === 'failed') {
    const none = rules.map((rule): RuleOutcome => ({
      rule,
      verdict: 'inconclusive',
      message: null,
    }));
    const { diagnostic: stopped } = made;
    return { outcomes: none, states: 0, cut: false, boundsMet: NO_BOUNDS_MET, stopped };
  }
  const machine = made.value;
  if ('kind' in machine) return machine;
  const found = checkMachine(machine, rules, limits, { ...how, onViolation });
  const { outcomes } = found;
  let { states, stopped } = found;
  if (stopped === null) {
    const whole = attempt(() => checkWholeGraph(scenario, machine, rules, outcomes, limits));
    if (whole.kind === 'ok') states += whole.value;
    else {
      // That rule was only looked at in a part of the graph.
      stopped = whole.diagnostic;
      outcomes.delete('progress');
    }
  }
  const boundsMet = machine.inspect.boundsMet();
  return { outcomes: inOrder(rules, outcomes), states, cut: found.cut, boundsMet, stopped };
}

/** The outcomes of some rules, in their order. */
export function inOrder(
  rules: readonly Rule[],
  outcomes: ReadonlyMap<string, RuleOutcome>,
): readonly RuleOutcome[] {
  return rules.map(
    (rule) => outcomes.get(rule.id) ?? { rule, verdict: 'inconclusive', message: null },
  );
}

/**
 * The same for one machine, however it was made; nothing is said of the whole state graph. Where no
 * thread reads tables the reduction does not rest on the lock (`reduction` is `sound`). Throws
 * `ForeignSnapshot` where the keeper has a snapshot of another check, and `LeftToOne`.
 */
export function checkMachine(
  machine: Machine,
  rules: readonly Rule[],
  limits: SearchLimits,
  how: {
    readonly reduction?: 'under-lock' | 'sound';
    readonly onViolation?:
      ((rule: Rule, machine: Machine, trace: readonly Transition[]) => void) | undefined;
  } & CheckUse = {},
): {
  readonly outcomes: Map<string, RuleOutcome>;
  readonly states: number;
  readonly cut: boolean;
  readonly stopped: Diagnostic | null;
} {
  const outcomes = new Map<string, RuleOutcome>();
  const isSound = how.reduction === 'sound';
  // The reduction rests on this rule, so it is looked at even when nobody asks for it.
  const needsLock = !isSound && !rules.includes(tablesChangeUnderLock);
  let left = needsLock ? [tablesChangeUnderLock, ...rules] : rules;
  let states = 0;
  let cut = false;
  let stopped: Diagnostic | null = null;
  const { keeper, find } = how;
  const from = keeper?.from ?? null;
  const kept = keeper === undefined && find === undefined ? null : keepIds(machine, from);
  for (const { rule: id, message } of from?.refuted ?? []) {
    const rule = left.find((each) => each.id === id);
    if (rule !== undefined) refute(rule, message);
  }
  states = from?.states ?? 0;
  let basis = kept?.basis ?? undefined;

  /** The next search, which is offered to the keeper now and then. */
  function next(goingOn: SearchBasis | undefined): Found {
    const reduced = isSound || isReduced(outcomes);
    if (kept === null) return findViolation(machine, left, limits, reduced);
    const refuted = [...outcomes.values()].map(({ rule, message }) => ({
      rule: rule.id,
      message: message ?? '',
    }));
    const before = states;
    const snapshot = (search: SearchSnapshot): CheckSnapshot => ({
      refuted,
      states: before,
      search,
      ...kept.snapshot(),
    });
    const keep: SearchLimits['keep'] = (search) => keeper?.offer(() => snapshot(search()));
    const keeping = { ...limits, keep };
    return find === undefined
      ? findViolation(machine, left, keeping, reduced, goingOn)
      : find(machine, left, keeping, reduced, goingOn, { ids: kept, snapshot });
  }

  function refute(rule: Rule, message: string): void {
    outcomes.set(rule.id, { rule, verdict: 'refuted', message });
    left = left.filter((other) => other !== rule);
  }

  while (left.length > 0) {
    const goingOn = basis;
    basis = undefined;
    const tried = attempt(() => next(goingOn));
    if (tried.kind === 'failed') {
      stopped = tried.diagnostic;
      break;
    }
    const found = tried.value;
    states += found.states;
    if (found.kind !== 'violation') {
      cut = found.kind === 'exhausted' && found.cut;
      const verdict = found.kind === 'exhausted' && !cut ? 'verified' : 'inconclusive';
      for (const rule of left) outcomes.set(rule.id, { rule, verdict, message: null });
      break;
    }
    // Another order of the states may have led to another violation.
    if (goingOn !== undefined && from?.search.together === true) throw new LeftToOne(null);
    const { rule, message } = found;
    how.onViolation?.(rule, machine, found.trace);
    refute(rule, message);
  }
  return { outcomes, states, cut, stopped };
}

/**
 * Adds what the whole state graph says of the rule on progress, where threads wait for each other or
 * faults enter the host.
 */
function checkWholeGraph(
  scenario: Scenario,
  machine: Machine,
  rules: readonly Rule[],
  outcomes: Map<string, RuleOutcome>,
  limits: SearchLimits,
): number {
  const rule = rules.find(({ id }) => id === 'progress');
  if (rule === undefined || !concernsProgress(scenario)) return 0;
  if (outcomes.get(rule.id)?.verdict !== 'verified') return 0;
  const found = checkProgress(machine, { states: limits.states, reduced: isReduced(outcomes) });
  const verdict = ({ violation: 'refuted', holds: 'verified', limit: 'inconclusive' } as const)[
    found.kind
  ];
  const message = found.kind === 'violation' ? found.fact.message : null;
  outcomes.set(rule.id, { rule, verdict, message });
  return found.states;
}

/**
 * A guest that wants one access must get it; a general guest may go on asking for a page that the
 * host does not have, which is no failure of the host.
 */
export function concernsProgress({ guest, hosts, faults }: Scenario): boolean {
  return guest.kind === 'persistent' || (hosts > 1 && faults === 'ignored');
}

/** The reduction relies on tables being written under the lock: not when that rule is broken. */
function isReduced(outcomes: ReadonlyMap<string, RuleOutcome>): boolean {
  return outcomes.get(tablesChangeUnderLock.id)?.verdict !== 'refuted';
}

/** A search for the first violation of some rules. */
export type Found =
  /** `cut`: as in `SearchResult`. */
  | { readonly kind: 'exhausted'; readonly cut: boolean; readonly states: number }
  | { readonly kind: 'limit'; readonly states: number }
  | {
      readonly kind: 'violation';
      readonly rule: Rule;
      readonly message: string;
      readonly trace: readonly Transition[];
      readonly states: number;
    };

/** Searches breadth-first for a violation of one of the rules. */
export function findViolation(
  machine: Machine,
  rules: readonly Rule[],
  limits: SearchLimits,
  reduced: boolean,
  basis?: SearchBasis,
): Found {
  let broken: Rule | null = null;
  const judge = (facts: readonly Fact[]): string | null => {
    const violation = firstViolation(rules, facts);
    if (violation === null) return null;
    broken = violation.rule;
    return violation.message;
  };
  const hooks: SearchHooks = {
    reduced,
    wholeAccesses: true,
    symmetric: true,
    violation: judge,
    endViolation(state) {
      const fact = factAtEnd(machine, state);
      return fact === null ? null : judge([fact]);
    },
  };
  const result = search(machine, limits, hooks, basis);
  const { states } = result;
  if (result.kind === 'limit') return { kind: 'limit', states };
  if (result.kind === 'exhausted') return { kind: 'exhausted', cut: result.cut, states };
  const rule = broken as Rule | null;
  if (rule === null) throw new Error('a violation without a rule');
  const { violation: message, trace } = result;
  return { kind: 'violation', rule, message, trace, states };
}
