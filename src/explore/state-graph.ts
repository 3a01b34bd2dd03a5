import type { State } from '../machine/draft.ts';
import type { EffectInfo } from '../machine/effect-info.ts';
import type { Machine } from '../machine/machine.ts';
import { EVENT, type Transition } from '../machine/transition.ts';
import { onEagerCycle } from './eager-cycle.ts';
import { intSequencePool } from '../util/int-sequence-pool.ts';

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
  const seen = intSequencePool();
  const states: State[] = [machine.initial];
  const parents: number[] = [-1];
  const out: Edge[][] = [];
  seen.intern(machine.initial, width);
  for (let id = 0; id < states.length; id += 1) {
    const state = states[id] as State;
    const eager = reduced ? machine.eager(state) : [];
    const edges: Edge[] = [];
    const leadsOn =
      eager.some((t) => seen.intern(t.next, width) > id) ||
      (eager.length > 0 && !onEagerCycle(machine, state));
    for (const t of leadsOn ? eager : machine.transitions(state)) {
      const to = seen.intern(t.next, width);
      if (to === states.length) {
        if (to >= limit) return null;
        states.push(t.next);
        parents.push(id);
      }
      edges.push({
        from: id,
        to,
        agent: agentOfStep(t, pes),
        flags: flagsOfStep(machine, state, t),
      });
    }
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
