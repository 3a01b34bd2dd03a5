import { KIND, type EffectInfo } from '../../machine/effect-info.ts';
import type { Machine } from '../../machine/machine.ts';
import { PE, peComponent, STATE, type State, type Step } from '../../machine/state.ts';
import { FLAG, flagsOf } from '../../machine/window.ts';
import { pairMap } from '../../util/pair-map.ts';
import type { Agent } from './strategy.ts';

/**
 * What agents can do in a state, by few look-ups: most of it depends on one component of the state, so
 * it is remembered by the id of its content. Nothing here depends on what was asked before.
 */
export interface Ability {
  /** Whether the agent might have a step; `stepsOf` says whether it has. */
  mayAct(state: State, agent: Agent): boolean;
  /** The steps of an agent, those of one instruction (slot, cell) after those of another. */
  stepsOf(state: State, agent: Agent): readonly Step[];
  /** Whether no host PE has anything in flight and no invalidation is on its way. */
  hostIsDone(state: State): boolean;
  /** Whether some PE has nothing left before a lock that it does not have yet. */
  someLockAwaited(state: State): boolean;
}

const known = new WeakMap<Machine, Ability>();

/** What the agents of a machine can do; the PEs from 0 to `hosts` - 1 run host code. */
export function abilityOf(machine: Machine, hosts: number): Ability {
  const before = known.get(machine);
  if (before !== undefined) return before;
  const { inspect, setup } = machine;
  const { memory } = inspect;
  const pes = setup.threads.length;
  const updates = machine.sites(machine.initial).some(({ kind }) => kind === 'update');
  const hasDirtyLines = setup.dataCache === 'modelled';
  /** By PE and window: whether anything is in flight (1), and whether a lock is awaited (2). */
  const windows = pairMap();

  function inFlight(state: State, pe: number): number {
    const id = state[peComponent(pe, PE.window)] as number;
    let found = windows.get(pe, id);
    if (found < 0) {
      inspect.load(state);
      const w = inspect.window(pe);
      const waits =
        w.count > 0 &&
        (w.infos[0] as EffectInfo).kind === KIND.lock &&
        (flagsOf(w, 0) & FLAG.fired) === 0;
      found = (w.count > 0 ? 1 : 0) | (waits ? 2 : 0);
      windows.set(pe, id, found);
    }
    return found;
  }

  function pendingAt(state: State, pe: number): boolean {
    const pending = inspect.pendingDeliveries(state);
    for (let i = 1; i < pending.length; i += 2) {
      if (((pending[i] as number) & (1 << pe)) !== 0) return true;
    }
    return false;
  }

  const ability: Ability = {
    mayAct(state, { kind, pe }) {
      switch (kind) {
        case 'host':
        case 'vcpu':
        case 'other':
          return (inFlight(state, pe) & 1) !== 0;
        case 'delivery':
          return pendingAt(state, pe);
        case 'background':
          return (
            updates ||
            (hasDirtyLines && memory.dirtyCells(state[STATE.memory] as number).length > 0)
          );
      }
    },
    stepsOf(state, { kind, pe }) {
      switch (kind) {
        case 'host':
        case 'vcpu':
        case 'other':
          return machine.stepsOf(state, pe);
        case 'delivery':
          return machine.deliveriesTo(state, pe);
        case 'background':
          return machine.memorySteps(state);
      }
    },
    hostIsDone(state) {
      for (let pe = 0; pe < hosts; pe += 1) if ((inFlight(state, pe) & 1) !== 0) return false;
      return inspect.pendingDeliveries(state).length === 0;
    },
    someLockAwaited(state) {
      for (let pe = 0; pe < pes; pe += 1) if ((inFlight(state, pe) & 2) !== 0) return true;
      return false;
    },
  };
  known.set(machine, ability);
  return ability;
}
