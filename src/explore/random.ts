import type { Fact } from '../machine/facts.ts';
import { PE, peComponent, type State } from '../machine/state.ts';
import type { Machine } from '../machine/machine.ts';
import type { Site, Transition } from '../machine/transition.ts';
import { firstViolation, type Rule, type Violation } from '../rules/rule.ts';
import { randomFrom } from '../util/random.ts';
import { factAtEnd } from './check.ts';
import { agentIdOf, agentsOf } from './strategy/agents.ts';
import { drawBias, noBias, type Bias } from './strategy/bias.ts';
import { pause } from './strategy/pause.ts';
import { livelockWatch } from './livelock.ts';
import { priority } from './strategy/priority.ts';
import { rounds } from './strategy/rounds.ts';
import { stall } from './strategy/stall.ts';
import { sticky } from './strategy/sticky.ts';
import type { Agent, Schedule, Strategy } from './strategy/strategy.ts';
import { waitsForEver } from './waits-for-ever.ts';

/**
 * Random walks over a machine. A run is a function of the machine's setup and a seed: it can be had
 * again from the two, on any computer. What is kept of it is the list of steps taken.
 */
export interface Run {
  readonly steps: readonly Transition[];
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
  /** One of these is drawn per leg; all of them when not given. */
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

/** The strategies a run draws from. */
export const STRATEGIES: readonly Strategy[] = [sticky, priority, stall, pause];

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
  const pes = machine.setup.threads.length;
  const limit = options.steps ?? DEFAULT_STEPS;
  const steps: Transition[] = [];
  let tail = options.tail ?? DEFAULT_TAIL;
  let state: State = machine.initial;
  let current: Agent | null = null;
  let next = 0;
  let legEnds = 0;
  let leg: DrawnLeg | null = null;
  const livelock = options.livelocks === true ? livelockWatch(machine) : null;

  const ended = (violation: Violation | null, end: Run['end'] = 'ended'): Run => ({
    steps,
    violation,
    end: violation === null ? end : 'violation',
    strategy: leg?.strategy.name ?? '',
  });
  const initial = firstViolation(rules, machine.initialFacts);
  if (initial !== null) return ended(initial);

  while (steps.length < limit) {
    if (leg === null || (steps.length >= legEnds && next < legs.length)) {
      const { seed, steps: length } = legs[next] as Leg;
      leg = drawLeg(machine, seed, agents, options);
      legEnds = steps.length + length;
      next += 1;
    }
    const { schedule, bias } = leg;
    const sitesOf: Site[][] = [];
    let hostIsDone = true;
    for (const site of machine.sites(state)) {
      const id = agentIdOf(site, pes);
      (sitesOf[id] ??= []).push(site);
      if (site.kind === 'deliver' || (site.kind === 'instance' && site.pe < hosts)) {
        hostIsDone = false;
      }
    }
    if (hostIsDone && !isInHost(machine, state, hosts)) {
      if (tail === 0) return ended(null);
      tail -= 1;
    }
    const able = agents.filter((agent) => sitesOf[agent.id] !== undefined);
    const awake = able.filter(bias.isAwake);
    let taken: Transition | null = null;
    let waits: Fact | null = null;
    for (const ready of awake.length < able.length ? [awake, able] : [able]) {
      while (taken === null && ready.length > 0) {
        const agent = schedule.pick(ready, current, steps.length);
        taken = stepAt(machine, state, sitesOf[agent.id] ?? [], bias, agent);
        if (taken !== null) {
          current = agent;
          schedule.took?.(agent, taken);
          bias.took(agent);
        } else {
          schedule.refused(agent);
          bias.refused(agent);
          ready.splice(ready.indexOf(agent), 1);
          if (agent.kind === 'host') waits ??= waitsForEver(machine, state);
        }
      }
      if (taken !== null) break;
    }
    const fact = waits ?? (taken === null ? factAtEnd(machine, state) : null);
    const stuck = fact === null ? null : firstViolation(rules, [fact]);
    if (stuck !== null || taken === null) return ended(stuck);
    steps.push(taken);
    options.watch?.(state, taken);
    state = taken.next;
    const violation = taken.facts.length === 0 ? null : firstViolation(rules, taken.facts);
    if (violation !== null) return ended(violation);
    const circle = livelock?.look(steps) ?? null;
    const endless = circle === null ? null : firstViolation(rules, [circle]);
    if (endless !== null) return ended(endless);
  }
  return ended(null, 'limit');
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
  const all = options.livelocks === true ? [...STRATEGIES, rounds, rounds] : STRATEGIES;
  const strategies = options.strategies ?? all;
  const strategy = strategies[random.below(strategies.length)];
  if (strategy === undefined) throw new RangeError('a walk needs a strategy');
  const schedule = strategy.start(random, agents, expectedSteps(machine, options.hosts));
  if (strategy.bias !== undefined) return { strategy, schedule, bias: strategy.bias(random) };
  const bias = options.biased === false ? noBias(random) : drawBias(machine, random, agents);
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

/** One transition of one of the sites, or null when there is none. The list is used up. */
function stepAt(
  machine: Machine,
  state: State,
  sites: Site[],
  bias: Bias,
  agent: Agent,
): Transition | null {
  while (sites.length > 0) {
    const [site] = sites.splice(bias.site(sites, agent), 1);
    if (site === undefined) return null;
    const taken = bias.transition(state, machine.at(state, site), agent);
    if (taken !== null) return taken;
  }
  return null;
}

const lengths = new WeakMap<Machine, number>();

/** Steps until the host has ended when nobody else acts unless the host waits: a scale for change points. */
function expectedSteps(machine: Machine, hosts: number): number {
  const known = lengths.get(machine);
  if (known !== undefined) return known;
  let state = machine.initial;
  let count = 0;
  for (; count < DEFAULT_STEPS; count += 1) {
    const sites = machine.sites(state);
    if (!sites.some((s) => s.kind === 'instance' && s.pe < hosts)) break;
    const host = sites.filter((s) => s.kind === 'instance' && s.pe < hosts);
    const rest = sites.filter((s) => s.kind !== 'instance' || s.pe >= hosts);
    const step = firstStep(machine, state, [...host, ...rest.reverse()]);
    if (step === null) break;
    state = step.next;
  }
  // Guests take about as many steps again.
  const result = Math.max(8, count + Math.ceil(count / 2));
  lengths.set(machine, result);
  return result;
}

function firstStep(machine: Machine, state: State, sites: readonly Site[]): Transition | null {
  for (const site of sites) {
    const step = machine.at(state, site)[0];
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
    steps += run.steps.length;
    if (run.violation !== null) return { runs, steps, found: { run, seed: runSeed } };
    if (options.enough?.() === true) return { runs, steps, found: null };
  }
  return { runs: options.runs, steps, found: null };
}
