import type { State } from '../machine/state.ts';
import type { EffectInfo } from '../machine/effect-info.ts';
import type { Machine } from '../machine/machine.ts';
import { EVENT, type Transition } from '../machine/transition.ts';
import { createEagerCycle } from './eager-cycle.ts';
import { stateSet } from '../util/state-set.ts';

/** What an edge of the state graph is, as far as progress is concerned. */
export const EDGE = {
  /** The PE took a fault. */
  fault: 1,
  /** A translated access or fetch was performed. */
  success: 2,
  /** Work outside of the translation under test: what a fault handler does. */
  work: 4,
  /** A lock was taken. */
  lock: 8,
} as const;

/** One step of the graph. */
export interface Edge {
  readonly from: number;
  readonly to: number;
  /** PE; `pes + PE` for deliveries to it; `2 * pes` for the memory system. */
  readonly agent: number;
  readonly flags: number;
}

/** All reachable states with all steps between them. */
export interface StateGraph {
  readonly states: readonly State[];
  /** Edges by the state they leave. */
  readonly out: readonly (readonly Edge[])[];
  /** The state from which a state was first reached; -1 for the initial one. */
  readonly parents: readonly number[];
}

/** The agent of a step, as in `Edge`. */
export function agentOfStep(t: Transition, pes: number): number {
  if (t.pe < 0) return 2 * pes;
  return t.event === EVENT.deliver ? pes + t.pe : t.pe;
}

/** The reachable graph, or null when it has more states than the limit. */
export function stateGraph(machine: Machine, limit: number, reduced: boolean): StateGraph | null {
  const pes = machine.setup.threads.length;
  const width = machine.initial.length;
  const seen = stateSet(width);
  const onEagerCycle = createEagerCycle(machine);
  const states: State[] = [machine.initial];
  const parents: number[] = [-1];
  const out: Edge[][] = [];
  seen.add(machine.initial, -1);
  for (let id = 0; id < states.length; id += 1) {
    const state = states[id] as State;
    const edges: Edge[] = [];
    const take = (t: Transition): boolean => {
      const to = seen.add(t.next, id);
      if (to === states.length) {
        if (to >= limit) return false;
        states.push(t.next);
        parents.push(id);
      }
      const agent = agentOfStep(t, pes);
      edges.push({ from: id, to, agent, flags: flagsOfStep(machine, state, t) });
      return true;
    };
    if (reduced) {
      const eager = machine.eager(state);
      if (!eager.every(take)) return null;
      if (edges.some(({ to }) => to > id) || (eager.length > 0 && !onEagerCycle(state))) {
        out.push(edges);
        continue;
      }
      edges.length = 0;
    }
    if (!machine.transitions(state).every(take)) return null;
    out.push(edges);
  }
  return { states, out, parents };
}

function flagsOfStep(machine: Machine, state: State, t: Transition): number {
  if (t.pe < 0 || t.event === EVENT.deliver) return 0;
  if (t.facts.some((fact) => fact.kind === 'fault-taken')) return EDGE.fault;
  if (t.event === EVENT.translate || t.event === EVENT.fault) return 0;
  machine.inspect.load(state);
  const info = machine.inspect.window(t.pe).infos[t.index] as EffectInfo;
  if (info.translated) return EDGE.success;
  if (info.effect.kind === 'choose') return 0;
  return EDGE.work | (info.effect.kind === 'lock' ? EDGE.lock : 0);
}

/** Steps along a list of states. */
export function stepsAlong(machine: Machine, states: readonly State[]): readonly Transition[] {
  const steps: Transition[] = [];
  for (let i = 1; i < states.length; i += 1) {
    const target = states[i] as State;
    const step = machine
      .transitions(states[i - 1] as State)
      .find((t) => t.next.every((id, k) => id === target[k]));
    if (step === undefined) throw new Error('a recorded step cannot be found again');
    steps.push(step);
  }
  return steps;
}
