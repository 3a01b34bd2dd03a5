import type { Fact } from '../machine/facts.ts';
import { PE, peComponent, type State, type Step } from '../machine/state.ts';
import type { Machine } from '../machine/machine.ts';
import { EVENT, type Transition } from '../machine/transition.ts';
import { firstViolation, type Rule, type Violation } from '../rules/rule.ts';
import { randomFrom } from '../util/random.ts';
import { factAtEnd } from './check.ts';
import { abilityOf, type Ability } from './strategy/ability.ts';
import { agentsOf } from './strategy/agents.ts';
import { drawBias, noBias, type Bias } from './strategy/bias.ts';
import { pause } from './strategy/pause.ts';
import { livelockWatch } from './livelock.ts';
import { priority } from './strategy/priority.ts';
import { rounds } from './strategy/rounds.ts';
import { stall } from './strategy/stall.ts';
import { sticky } from './strategy/sticky.ts';
import { visits } from './strategy/visits.ts';
import {
  instructionOf,
  isNotable,
  type Agent,
  type Length,
  type Schedule,
  type Strategy,
} from './strategy/strategy.ts';
import { waitsForEver } from './waits-for-ever.ts';

/**
 * Random walks over a machine. A run is a function of the machine's setup and a seed: it can be had
 * again from the two, on any computer. What is kept of it is the list of steps taken.
 */
export interface Run {
  readonly steps: readonly Transition[];
  /** How many these are: `steps` is worked out when it is asked for. */
  readonly length: number;
  readonly violation: Violation | null;
  /** `limit`: there was more to do, but the bound on steps was reached. */
  readonly end: 'violation' | 'ended' | 'limit';
  /** Name of the strategy that scheduled it; of the last leg, where there are several. */
  readonly strategy: string;
}

/**
 * A stretch of a walk: strategy, bias and every choice are drawn from its seed. A walk that has the
 * first legs of another one begins as the other did.
 */
export interface Leg {
  readonly seed: number;
  /** Steps until the next leg; of the last leg: no matter. */
  readonly steps: number;
}

/** What a walk is about. */
export interface WalkOptions {
  /** The PEs from 0 on that run host code under test; the others are vCPUs. */
  readonly hosts: number;
  /** What stops a run. */
  readonly rules: readonly Rule[];
  /** One of these is drawn per leg; a mixture of all when not given. */
  readonly strategies?: readonly Strategy[];
  /** Whether legs lean to anything (strategy/bias.ts); yes when not given. */
  readonly biased?: boolean;
  /**
   * Whether to look for circles in which a guest faults for ever (livelock.ts): only where guests want
   * an access that must come through, as `concernsProgress` says. No when not given.
   */
  readonly livelocks?: boolean;
  /** Most steps of a run. */
  readonly steps?: number;
  /**
   * Steps the guests have after the host has ended and nothing is on its way. Steps taken while some
   * vCPU is in the host, with a fault, are not counted.
   */
  readonly tail?: number;
  /** Sees every step, with the state before it. */
  readonly watch?: (before: State, step: Transition) => void;
}

/** The strategies there are for machines in which nobody has to get anywhere. */
export const STRATEGIES: readonly Strategy[] = [visits, sticky, priority, stall, pause];

/** What a leg draws from. `visits` finds most for what it costs, but no strategy finds everything. */
const DRAWN: readonly Strategy[] = [...STRATEGIES, ...Array<Strategy>(11).fill(visits)];
const DRAWN_FOR_PROGRESS: readonly Strategy[] = [...STRATEGIES, ...Array<Strategy>(5).fill(rounds)];

const DEFAULT_STEPS = 1500;
const DEFAULT_TAIL = 30;

/** One run. */
export function randomRun(machine: Machine, seed: number, options: WalkOptions): Run {
  return walk(machine, [{ seed, steps: Infinity }], options);
}

/** A run in legs; there must be one at least. */
export function walk(machine: Machine, legs: readonly Leg[], options: WalkOptions): Run {
  const { rules, hosts } = options;
  const agents = agentsOf(machine, hosts);
  const ability = abilityOf(machine, hosts);
  const limit = options.steps ?? DEFAULT_STEPS;
  const path: Step[] = [];
  let steps: Transition[] | null = null;
  let tail = options.tail ?? DEFAULT_TAIL;
  let state: State = machine.initial.slice();
  let current: Agent | null = null;
  let next = 0;
  let legEnds = 0;
  let leg: DrawnLeg | null = null;
  const livelock = options.livelocks === true ? livelockWatch(machine) : null;
  let ready: Agent[] = [];
  const asleep: Agent[] = [];

  const ended = (violation: Violation | null, end: Run['end'] = 'ended'): Run => ({
    get steps() {
      return (steps ??= transitionsOf(machine, path));
    },
    length: path.length,
    violation,
    end: violation === null ? end : 'violation',
    strategy: leg?.strategy.name ?? '',
  });
  const breaks = breaksOf(rules);
  if (options.watch !== undefined || livelock !== null) steps = [];
  const initial = firstViolation(rules, machine.initialFacts);
  if (initial !== null) return ended(initial);

  while (path.length < limit) {
    if (leg === null || (path.length >= legEnds && next < legs.length)) {
      const { seed, steps: length } = legs[next] as Leg;
      leg = drawLeg(machine, seed, agents, options);
      legEnds = path.length + length;
      next += 1;
    }
    const { schedule, bias } = leg;
    if (ability.hostIsDone(state) && !isInHost(machine, state, hosts)) {
      if (tail === 0) return ended(null);
      tail -= 1;
    }
    ready.length = 0;
    asleep.length = 0;
    for (const agent of agents) {
      if (ability.mayAct(state, agent)) (bias.isAwake(agent) ? ready : asleep).push(agent);
    }
    let taken: Step | null = null;
    let waits: Fact | null = null;
    for (let woken = false; taken === null;) {
      if (ready.length === 0) {
        // Who sleeps is woken when nobody else can do anything.
        if (woken || asleep.length === 0) break;
        woken = true;
        bias.release();
        ready = agents.filter((agent) => ability.mayAct(state, agent));
      }
      const agent = schedule.pick(ready, current, path.length);
      const possible = ability.stepsOf(state, agent);
      // What an agent that is picked could break it breaks.
      taken = possible.find(breaks) ?? bias.pick(state, possible, agent);
      if (taken !== null) {
        current = agent;
        schedule.took?.(agent, taken);
        bias.took(agent, taken);
      } else {
        schedule.refused(agent, possible.length > 0);
        bias.refused(agent);
        ready.splice(ready.indexOf(agent), 1);
        if (agent.kind === 'host' && waits === null && ability.someLockAwaited(state)) {
          waits = waitsForEver(machine, state);
        }
      }
    }
    const fact = waits ?? (taken === null ? factAtEnd(machine, state) : null);
    const stuck = fact === null ? null : firstViolation(rules, [fact]);
    if (stuck !== null || taken === null) return ended(stuck);
    path.push(taken);
    if (steps === null) machine.apply(taken, state);
    else {
      const step = transitionOf(machine, state, taken);
      steps.push(step);
      options.watch?.(state, step);
      state = step.next;
    }
    if (breaks(taken)) return ended(firstViolation(rules, taken.facts));
    const circle = livelock?.look(steps ?? []) ?? null;
    const endless = circle === null ? null : firstViolation(rules, [circle]);
    if (endless !== null) return ended(endless);
  }
  return ended(null, 'limit');
}

/** By rules, and facts: whether they break one. Steps that look alike share their facts. */
const broken = new WeakMap<readonly Rule[], WeakMap<readonly Fact[], boolean>>();

/** Whether the facts of a step break a rule. */
function breaksOf(rules: readonly Rule[]): (step: Step) => boolean {
  const known = broken.get(rules) ?? new WeakMap<readonly Fact[], boolean>();
  broken.set(rules, known);
  return ({ facts }) => {
    if (facts.length === 0) return false;
    let found = known.get(facts);
    if (found === undefined) {
      found = firstViolation(rules, facts) !== null;
      known.set(facts, found);
    }
    return found;
  };
}

function transitionsOf(machine: Machine, path: readonly Step[]): Transition[] {
  let state = machine.initial;
  return path.map((step) => {
    const transition = transitionOf(machine, state, step);
    state = transition.next;
    return transition;
  });
}

/** The step with the state it leads to. */
function transitionOf(machine: Machine, state: State, step: Step): Transition {
  const { pe, index, event, choice, facts } = step;
  const next = state.slice();
  machine.apply(step, next);
  return { pe, index, event, choice, next, facts };
}

interface DrawnLeg {
  readonly strategy: Strategy;
  readonly schedule: Schedule;
  readonly bias: Bias;
}

function drawLeg(
  machine: Machine,
  seed: number,
  agents: readonly Agent[],
  options: WalkOptions,
): DrawnLeg {
  const random = randomFrom(seed);
  const all = options.livelocks === true ? DRAWN_FOR_PROGRESS : DRAWN;
  const strategies = options.strategies ?? all;
  const strategy = strategies[random.below(strategies.length)];
  if (strategy === undefined) throw new RangeError('a walk needs a strategy');
  const length = lengthOf(machine, options.hosts);
  const schedule = strategy.start(random, agents, length);
  if (strategy.bias !== undefined) return { strategy, schedule, bias: strategy.bias(random) };
  const bias =
    options.biased === false ? noBias(random) : drawBias(machine, random, agents, length);
  return { strategy, schedule, bias };
}

/** Whether a vCPU has entered the host: its context is not that of the guest. */
function isInHost({ initial, setup }: Machine, state: State, hosts: number): boolean {
  for (let pe = hosts; pe < setup.threads.length; pe += 1) {
    const at = peComponent(pe, PE.context);
    if (state[at] !== initial[at]) return true;
  }
  return false;
}

const lengths = new WeakMap<Machine, Length>();

/** How long the host is when it runs first, alone unless it waits. */
function lengthOf(machine: Machine, hosts: number): Length {
  const known = lengths.get(machine);
  if (known !== undefined) return known;
  const agents = agentsOf(machine, hosts);
  const ability = abilityOf(machine, hosts);
  const host = agents.filter(({ kind }) => kind === 'host');
  const deliveries = agents.filter(({ kind }) => kind === 'delivery');
  const rest = agents.filter(({ kind }) => kind !== 'host' && kind !== 'delivery');
  const state = machine.initial.slice();
  let steps = 0;
  let own = 0;
  const kinds = new Set<number>();
  let notable = 0;
  for (; steps < DEFAULT_STEPS; steps += 1) {
    if (!host.some((agent) => ability.mayAct(state, agent))) break;
    const step = firstStep(ability, state, [...host, ...deliveries, ...rest]);
    if (step === null) break;
    if (isNotable(step)) notable += 1;
    if (step.pe >= 0 && step.pe < hosts && step.event !== EVENT.deliver) {
      own += 1;
      kinds.add(instructionOf(machine, state, step).kind);
    }
    machine.apply(step, state);
  }
  const result = {
    steps: Math.max(8, steps),
    own: Math.max(8, own),
    notable: Math.max(4, notable),
    kinds: [...kinds],
  };
  lengths.set(machine, result);
  return result;
}

function firstStep(ability: Ability, state: State, agents: readonly Agent[]): Step | null {
  for (const agent of agents) {
    const step = ability.stepsOf(state, agent)[0];
    if (step !== undefined) return step;
  }
  return null;
}

/** What many runs came to. */
export interface RandomResult {
  readonly runs: number;
  readonly steps: number;
  /** The first run that broke a rule, with its seed; null when none did. */
  readonly found: { readonly run: Run; readonly seed: number } | null;
}

/** Runs until a rule is broken, `runs` are over, or `enough` says so. */
export function randomSearch(
  machine: Machine,
  seed: number,
  options: WalkOptions & { readonly runs: number; readonly enough?: () => boolean },
): RandomResult {
  const seeds = randomFrom(seed);
  let steps = 0;
  for (let runs = 1; runs <= options.runs; runs += 1) {
    const runSeed = seeds.fork();
    const run = randomRun(machine, runSeed, options);
    steps += run.length;
    if (run.violation !== null) return { runs, steps, found: { run, seed: runSeed } };
    if (options.enough?.() === true) return { runs, steps, found: null };
  }
  return { runs: options.runs, steps, found: null };
}
