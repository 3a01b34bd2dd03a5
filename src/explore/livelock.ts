import type { State } from '../machine/state.ts';
import type { EffectInfo } from '../machine/effect-info.ts';
import type { Fact } from '../machine/facts.ts';
import type { Machine } from '../machine/machine.ts';
import { EVENT, type Transition } from '../machine/transition.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { agentOfStep } from './state-graph.ts';
import { agentIdOf } from './strategy/agents.ts';

/**
 * Watches a single run for a circle it could go round for ever although scheduling is fair: the run is
 * back in a state it has been in, a guest has taken a stage-2 fault on the way, that guest has made no
 * access, and every agent that could act anywhere on the way has acted. This is stricter than what
 * `progress.ts` asks of a component of the state graph, so whatever is found here is found there; the
 * state graph finds more, where it is small enough to be built.
 */
export interface LivelockWatch {
  /** To be asked after every step, with all steps so far. */
  look(steps: readonly Transition[]): Fact | null;
}

/** Whether guests of the scenario want an access that must come through. */
export function looksForLivelocks({ guest, faults }: Scenario): boolean {
  return guest.kind === 'persistent' && faults === 'enter-host';
}

/** The circle a whole run ends with, or null. */
export function livelockAtEnd(machine: Machine, steps: readonly Transition[]): Fact | null {
  const watch = livelockWatch(machine, true);
  let found: Fact | null = null;
  for (let length = 1; length <= steps.length; length += 1) {
    found = watch.look(steps.slice(0, length));
  }
  return found;
}

/**
 * The watch of one run. A run that goes round closes a circle at every step, mostly the same one; unless
 * `thorough` not each of them is looked at.
 */
export function livelockWatch(machine: Machine, thorough = false): LivelockWatch {
  const agents = 2 * machine.setup.threads.length + 1;
  /** By hash: after how many steps the run was in a state with it. */
  const seen = new Map<number, number[]>([[hashOf(machine.initial), [0]]]);

  const stateAfter = (steps: readonly Transition[], count: number): State =>
    count === 0 ? machine.initial : (steps[count - 1] as Transition).next;

  /** How many states in a row the run has been in before. */
  let again = 0;

  return {
    look(steps) {
      const now = steps.at(-1)?.next;
      if (now === undefined) return null;
      const hash = hashOf(now);
      const alike = seen.get(hash);
      const before = alike?.find((count) => isSame(stateAfter(steps, count), now));
      if (before === undefined) {
        if (alike === undefined) seen.set(hash, [steps.length]);
        else alike.push(steps.length);
        again = 0;
        return null;
      }
      again += 1;
      if (!thorough && (again & (again - 1)) !== 0) return null;
      const start = stateAfter(steps, before);
      const pe = starving(machine, start, steps.slice(before));
      if (pe === null || !isFair(machine, start, steps.slice(before), agents)) return null;
      return {
        kind: 'no-progress',
        message: `cpu${pe} faults, and the run is back where it was before`,
      };
    },
  };
}

function hashOf(state: State): number {
  let hash = 0;
  for (let i = 0; i < state.length; i += 1) {
    hash = Math.imul(hash ^ (state[i] as number), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}

function isSame(a: State, b: State): boolean {
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

/** A PE that takes a fault and makes no access in the circle. */
function starving(machine: Machine, start: State, circle: readonly Transition[]): number | null {
  const faulted = new Set<number>();
  for (const { facts } of circle) {
    for (const fact of facts) {
      if (fact.kind === 'fault-taken' && fact.stage === 2) faulted.add(fact.pe);
    }
  }
  if (faulted.size === 0) return null;
  let state = start;
  for (const { event, pe, index, next } of circle) {
    if ((event === EVENT.read || event === EVENT.write) && faulted.has(pe)) {
      machine.inspect.load(state);
      const info = machine.inspect.window(pe).infos[index] as EffectInfo;
      if (info.translated) faulted.delete(pe);
    }
    state = next;
  }
  const [pe] = faulted;
  return pe ?? null;
}

/** Whether every agent that can act in some state of the circle acts in it. */
function isFair(
  machine: Machine,
  start: State,
  circle: readonly Transition[],
  agents: number,
): boolean {
  const pes = machine.setup.threads.length;
  const acted = new Set(circle.map((step) => agentOfStep(step, pes)));
  if (acted.size === agents) return true;
  let state = start;
  for (const { next } of circle) {
    for (const site of machine.sites(state)) {
      if (!acted.has(agentIdOf(site, pes)) && machine.at(state, site).length > 0) return false;
    }
    state = next;
  }
  return true;
}
