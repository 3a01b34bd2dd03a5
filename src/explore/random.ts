import type { State } from '../machine/state.ts';
import type { Machine } from '../machine/machine.ts';
import type { Site, Transition } from '../machine/transition.ts';
import { firstViolation, type Rule, type Violation } from '../rules/rule.ts';
import { randomFrom, type Random } from '../util/random.ts';
import { factAtEnd } from './check.ts';
import { priority } from './strategy/priority.ts';
import { stall } from './strategy/stall.ts';
import { sticky } from './strategy/sticky.ts';
import type { Agent, Strategy } from './strategy/strategy.ts';

/**
 * Random walks over a machine. A run is a function of the machine's setup and a seed: it can be had
 * again from the two, on any computer. What is kept of it is the list of steps taken.
 */
export interface Run {
  readonly steps: readonly Transition[];
  readonly violation: Violation | null;
  /** `limit`: there was more to do, but the bound on steps was reached. */
  readonly end: 'violation' | 'ended' | 'limit';
  /** Name of the strategy that scheduled it. */
  readonly strategy: string;
}

/** What a walk is about. */
export interface WalkOptions {
  /** The PEs from 0 on that run host code under test; the others are vCPUs. */
  readonly hosts: number;
  /** What stops a run. */
  readonly rules: readonly Rule[];
  /** One of these is drawn per run; all of them when not given. */
  readonly strategies?: readonly Strategy[];
  /** Most steps of a run. */
  readonly steps?: number;
  /** Steps the guests have after the host has ended and nothing is on its way. */
  readonly tail?: number;
}

/** The strategies a run draws from. */
export const STRATEGIES: readonly Strategy[] = [sticky, priority, stall];

const DEFAULT_STEPS = 1500;
const DEFAULT_TAIL = 30;

/** The agents of a machine, in a fixed order: PEs, deliveries to each PE, the background. */
export function agentsOf(machine: Machine, hosts: number): readonly Agent[] {
  const pes = machine.setup.threads.length;
  const agents: Agent[] = [];
  for (let pe = 0; pe < pes; pe += 1) {
    agents.push({ id: pe, kind: pe < hosts ? 'host' : 'vcpu', pe });
  }
  for (let pe = 0; pe < pes; pe += 1) agents.push({ id: pes + pe, kind: 'delivery', pe });
  agents.push({ id: 2 * pes, kind: 'background', pe: -1 });
  return agents;
}

function agentIdOf(site: Site, pes: number): number {
  switch (site.kind) {
    case 'instance':
      return site.pe;
    case 'deliver':
      return pes + site.pe;
    case 'write-back':
    case 'update':
      return 2 * pes;
  }
}

/** One run. */
export function randomRun(machine: Machine, seed: number, options: WalkOptions): Run {
  const random = randomFrom(seed);
  const strategies = options.strategies ?? STRATEGIES;
  const strategy = strategies[random.below(strategies.length)];
  if (strategy === undefined) throw new RangeError('a walk needs a strategy');
  const { name } = strategy;
  const initial = firstViolation(options.rules, machine.initialFacts);
  if (initial !== null) return { steps: [], violation: initial, end: 'violation', strategy: name };

  const agents = agentsOf(machine, options.hosts);
  const pes = machine.setup.threads.length;
  const limit = options.steps ?? DEFAULT_STEPS;
  const schedule = strategy.start(random, agents, expectedSteps(machine, options.hosts));
  const steps: Transition[] = [];
  let tail = options.tail ?? DEFAULT_TAIL;
  let state: State = machine.initial;
  let current: Agent | null = null;

  while (steps.length < limit) {
    const sites = machine.sites(state);
    const sitesOf: Site[][] = [];
    let hostIsDone = true;
    for (const site of sites) {
      const id = agentIdOf(site, pes);
      (sitesOf[id] ??= []).push(site);
      if (site.kind === 'deliver' || (site.kind === 'instance' && site.pe < options.hosts)) {
        hostIsDone = false;
      }
    }
    if (hostIsDone) {
      if (tail === 0) return { steps, violation: null, end: 'ended', strategy: name };
      tail -= 1;
    }
    const ready = agents.filter((agent) => sitesOf[agent.id] !== undefined);
    let taken: Transition | null = null;
    while (taken === null && ready.length > 0) {
      const agent = schedule.pick(ready, current, steps.length);
      taken = stepAt(machine, state, sitesOf[agent.id] ?? [], random);
      if (taken === null) {
        schedule.refused(agent);
        ready.splice(ready.indexOf(agent), 1);
      } else current = agent;
    }
    if (taken === null) {
      const fact = factAtEnd(machine, state);
      const violation = fact === null ? null : firstViolation(options.rules, [fact]);
      return { steps, violation, end: violation === null ? 'ended' : 'violation', strategy: name };
    }
    steps.push(taken);
    state = taken.next;
    if (taken.facts.length === 0) continue;
    const violation = firstViolation(options.rules, taken.facts);
    if (violation !== null) return { steps, violation, end: 'violation', strategy: name };
  }
  return { steps, violation: null, end: 'limit', strategy: name };
}

/** One transition of one of the sites, or null when there is none. The list is used up. */
function stepAt(machine: Machine, state: State, sites: Site[], random: Random): Transition | null {
  while (sites.length > 0) {
    const [site] = sites.splice(random.below(sites.length), 1);
    if (site === undefined) return null;
    const found = machine.at(state, site);
    const taken = found[random.below(found.length)];
    if (taken !== undefined) return taken;
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
