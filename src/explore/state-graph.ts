import type { State, Step } from '../machine/state.ts';
import type { EffectInfo } from '../machine/effect-info.ts';
import type { Machine } from '../machine/machine.ts';
import { EVENT } from '../machine/transition.ts';
import { createEagerCycle } from './eager-cycle.ts';
import { stateSet } from '../util/state-set.ts';
import { wholeAccessesOf, type WholeAccesses } from './whole-access.ts';

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

/** Flags of a PE that handles faults. */
const HANDLES = EDGE.fault | EDGE.work;

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
  /** What some edges stand for: pieces of PEs at rest; null when all are single steps. */
  readonly pieces: WholeAccesses | null;
  /** Whether some PE both takes faults and does work, as in a fault handler. */
  readonly hasHandler: boolean;
}

/** The agent of a step, as in `Edge`. */
export function agentOfStep(t: Pick<Step, 'pe' | 'event'>, pes: number): number {
  if (t.pe < 0) return 2 * pes;
  return t.event === EVENT.deliver ? pes + t.pe : t.pe;
}

/** How the steps of the graph are chosen. */
export interface GraphOptions {
  /** Most states; a graph with more is not built. */
  readonly limit: number;
  /** Explore eager steps alone. */
  readonly reduced: boolean;
  /**
   * Take accesses of PEs at rest in one piece: such an edge stands for several steps, and has their
   * flags together.
   */
  readonly wholeAccesses: boolean;
  /**
   * Go on with single steps, from the beginning, as soon as pieces have been taken and some PE both takes
   * faults and does work, as in a fault handler: what a fair run may do on a circle is asked of single
   * steps, so the graph with pieces would be of no use.
   */
  readonly singleWithHandlers?: boolean;
}

/** The reachable graph, or null when it has more states than the limit. */
export function stateGraph(machine: Machine, options: GraphOptions): StateGraph | null {
  const graph = graphOf(machine, options);
  return graph === 'handlers' ? stateGraph(machine, { ...options, wholeAccesses: false }) : graph;
}

function graphOf(machine: Machine, options: GraphOptions): StateGraph | 'handlers' | null {
  const { limit, reduced, wholeAccesses, singleWithHandlers } = options;
  const pes = machine.setup.threads.length;
  const width = machine.initial.length;
  const seen = stateSet(width);
  const resting = (state: State): number => (wholeAccesses ? machine.resting(state) : 0);
  const onEagerCycle = createEagerCycle(machine, resting);
  const pieces = wholeAccessesOf(machine, reduced);
  const states: State[] = [machine.initial];
  const parents: number[] = [-1];
  const out: Edge[][] = [];
  const next = new Int32Array(width);
  let edges: Edge[] = [];
  let state = machine.initial;
  let hasPieces = false;
  /** All flags of the edges of an agent. */
  const flagsOf = new Int32Array(2 * pes + 1);
  let hasHandler = false;
  /** The last state as deep as the one in work: what leads on does not depend on the order within a depth. */
  let lastOfDepth = 0;

  /** Adds an edge to the state in `next`; false when there are too many states. */
  function arrive(agent: number, flags: number): boolean {
    const from = out.length;
    const to = seen.add(next, from);
    if (to === states.length) {
      if (to >= limit) return false;
      states.push(next.slice());
      parents.push(from);
    }
    edges.push({ from, to, agent, flags });
    const all = (flagsOf[agent] as number) | flags;
    flagsOf[agent] = all;
    if ((all & HANDLES) === HANDLES) hasHandler = true;
    return true;
  }

  function take(step: Step): boolean {
    next.set(state);
    machine.apply(step, next);
    return arrive(agentOfStep(step, pes), flagsOfStep(machine, state, step));
  }

  function takePieces(pe: number): boolean {
    hasPieces = true;
    return pieces.forEach(state, pe, (piece) => {
      const { steps } = piece;
      next.set(state);
      machine.apply(piece, next);
      const faults = steps.some(({ facts }) => facts.some(({ kind }) => kind === 'fault-taken'));
      const performs = steps.some(({ event }) => event === EVENT.read || event === EVENT.write);
      return arrive(pe, (faults ? EDGE.fault : 0) | (performs ? EDGE.success : 0));
    });
  }

  function expand(): boolean {
    const mask = resting(state);
    if (reduced) {
      const eager = machine.eagerSteps(state, mask);
      if (!eager.every(take)) return false;
      if (edges.some(({ to }) => to > lastOfDepth) || (eager.length > 0 && !onEagerCycle(state))) {
        return true;
      }
      edges = [];
    }
    if (mask === 0) return machine.steps(state).slice().every(take);
    for (let pe = 0; pe < pes; pe += 1) {
      const isAtRest = (mask & (1 << pe)) !== 0;
      if (!(isAtRest ? takePieces(pe) : machine.stepsOf(state, pe).every(take))) return false;
      if (!machine.deliveriesTo(state, pe).every(take)) return false;
    }
    return machine.memorySteps(state).slice().every(take);
  }

  seen.add(machine.initial, -1);
  while (out.length < states.length) {
    if (out.length > lastOfDepth) lastOfDepth = states.length - 1;
    state = states[out.length] as State;
    edges = [];
    if (!expand()) return null;
    if (singleWithHandlers === true && hasPieces && hasHandler) return 'handlers';
    out.push(edges);
  }
  return { states, out, parents, pieces: hasPieces ? pieces : null, hasHandler };
}

function flagsOfStep(machine: Machine, state: State, t: Step): number {
  if (t.pe < 0 || t.event === EVENT.deliver) return 0;
  if (t.facts.some((fact) => fact.kind === 'fault-taken')) return EDGE.fault;
  if (t.event === EVENT.translate || t.event === EVENT.fault) return 0;
  machine.inspect.load(state);
  const info = machine.inspect.window(t.pe).infos[t.index] as EffectInfo;
  if (info.translated) return EDGE.success;
  if (info.effect.kind === 'choose') return 0;
  return EDGE.work | (info.effect.kind === 'lock' ? EDGE.lock : 0);
}
