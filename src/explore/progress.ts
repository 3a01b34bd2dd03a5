import type { State } from '../machine/state.ts';
import { FLAG, flagsOf } from '../machine/window.ts';
import type { EffectInfo } from '../machine/effect-info.ts';
import type { Fact } from '../machine/facts.ts';
import { mayFire } from '../machine/local-order.ts';
import type { Machine } from '../machine/machine.ts';
import type { Transition } from '../machine/transition.ts';
import { components } from './components.ts';
import { createRecordedSteps } from './recorded-steps.ts';
import { agentOfStep, EDGE, stateGraph, type Edge, type StateGraph } from './state-graph.ts';

/**
 * The rule `progress` (P8), decided on the whole state graph within the bounds.
 *
 * **Deadlock.** A reachable state in which a thread waits for a lock, and from which no state can be
 * reached in which that thread takes a step. It is looked for thread by thread, so guests that repeat
 * for ever do not hide it. A thread that waits for something else (no free page) is outside of the
 * bounds, not in a deadlock.
 *
 * **Endless faults.** A set of states, strongly connected, that a fair run may never leave, in which
 * a vCPU takes faults, its fault handler works, and none of its accesses is ever performed.
 *
 * Fairness. A run may circle in a component for ever only if no agent is treated unfairly by that:
 * - weakly: an agent that could act in *every* state of the component does act in it. Agents are the
 *   PEs, the delivery of invalidations to each PE, and the memory system; hardware does finish what
 *   it has begun, but at no particular time. A run that goes round all edges of the component again
 *   and again is fair to an agent that acts in it, or that cannot act in some state of it. If instead
 *   some agent could act in every state and does so in none, every run that stays is unfair to it,
 *   so no part of the component needs to be looked at either;
 * - strongly, for locks: a thread that waits for a lock that is free again and again gets it, because
 *   queued spin locks are first come, first served. A component in which some thread could take a
 *   lock but takes none is not fair as a whole; a part of it might be, where that lock is never free,
 *   so the states where it could be taken are removed and what remains is looked at again.
 * Which translation an access gets, and what a general guest does next, is left to chance: a fault
 * that could have been avoided by luck counts, for luck is no fairness.
 */
export interface ProgressOptions {
  /** Most states looked at. */
  readonly states: number;
  /**
   * Explore eager steps alone. No agent is left out for ever by that: a cycle of eager steps alone
   * has a state that is expanded in full (eager-cycle.ts).
   */
  readonly reduced?: boolean;
}

/** What was found. */
export type ProgressResult =
  | { readonly kind: 'holds'; readonly states: number }
  | { readonly kind: 'limit'; readonly states: number }
  | {
      readonly kind: 'violation';
      readonly fact: Fact & { readonly kind: 'no-progress' };
      /** Steps to the state, or into the loop. */
      readonly lead: readonly Transition[];
      /** Steps round the loop; empty for a deadlock. */
      readonly loop: readonly Transition[];
      readonly states: number;
    };

/** Looks for a deadlock, then for endless faults. */
export function checkProgress(machine: Machine, options: ProgressOptions): ProgressResult {
  const limit = options.states;
  const reduced = options.reduced ?? false;
  // Who waits for ever does so in a graph with pieces too: they leave out no event of any run.
  const graph = stateGraph(machine, {
    limit,
    reduced,
    wholeAccesses: reduced,
    singleWithHandlers: true,
  });
  if (graph === null) return { kind: 'limit', states: limit };
  const states = graph.states.length;
  const pes = machine.setup.threads.length;
  for (let pe = 0; pe < pes; pe += 1) {
    const stuck = stuckState(machine, graph, pe);
    if (stuck === null) continue;
    const fact = noProgress(`${threadName(machine, pe)} waits for ${stuck.lock} for ever`);
    return { kind: 'violation', fact, lead: leadTo(machine, graph, stuck.state), loop: [], states };
  }
  if (!graph.hasHandler) return { kind: 'holds', states };
  for (let pe = 0; pe < pes; pe += 1) {
    const loop = endlessFaults(machine, graph, pe);
    if (loop === null) continue;
    const fact = noProgress(
      `an access of ${threadName(machine, pe)} faults for ever: the host handles each fault, and none of its tries comes through`,
    );
    const lead = leadTo(machine, graph, loop[0]?.from ?? 0);
    const round = loop.map((edge) => graph.states[edge.from] as State);
    const closed = [...round, graph.states[loop[0]?.from ?? 0] as State];
    const steps = createRecordedSteps(machine, null).along(closed);
    return { kind: 'violation', fact, lead, loop: steps, states };
  }
  return { kind: 'holds', states };
}

function noProgress(message: string): Fact & { readonly kind: 'no-progress' } {
  return { kind: 'no-progress', message };
}

function threadName(machine: Machine, pe: number): string {
  return machine.setup.threads[pe]?.tree.name ?? `cpu${pe}`;
}

function leadTo(machine: Machine, graph: StateGraph, state: number): readonly Transition[] {
  const path: State[] = [];
  for (let at = state; at >= 0; at = graph.parents[at] ?? -1) path.push(graph.states[at] as State);
  return createRecordedSteps(machine, graph.pieces).along(path.reverse());
}

/** The first state in which a PE waits for a lock and will never take a step again. */
function stuckState(
  machine: Machine,
  graph: StateGraph,
  pe: number,
): { readonly state: number; readonly lock: string } | null {
  const goesOn = new Uint8Array(graph.states.length);
  const into: number[][] = graph.states.map(() => []);
  const work: number[] = [];
  for (const [state, edges] of graph.out.entries()) {
    for (const edge of edges) into[edge.to]?.push(state);
    if (edges.some((edge) => edge.agent === pe)) {
      goesOn[state] = 1;
      work.push(state);
    }
  }
  for (let state = work.pop(); state !== undefined; state = work.pop()) {
    for (const before of into[state] ?? []) {
      if (goesOn[before] === 1) continue;
      goesOn[before] = 1;
      work.push(before);
    }
  }
  for (const [state, ids] of graph.states.entries()) {
    if (goesOn[state] === 1) continue;
    const lock = waitsFor(machine, ids, pe);
    if (lock !== null) return { state, lock };
  }
  return null;
}

/** The lock a PE waits for in a state. */
function waitsFor(machine: Machine, state: State, pe: number): string | null {
  const { inspect, setup } = machine;
  inspect.load(state);
  const w = inspect.window(pe);
  for (let i = 0; i < w.count; i += 1) {
    const { effect } = w.infos[i] as EffectInfo;
    if (effect.kind !== 'lock' || (flagsOf(w, i) & FLAG.fired) !== 0 || !mayFire(w, i)) continue;
    if (inspect.touchGhost().lockOwner(effect.lock) >= 0) {
      return setup.locks[effect.lock] ?? `lock ${effect.lock}`;
    }
  }
  return null;
}

/** A round trip on which a PE only ever faults, if a fair run may stay on it. */
function endlessFaults(machine: Machine, graph: StateGraph, pe: number): readonly Edge[] | null {
  const fails = (edge: Edge): boolean => edge.agent !== pe || (edge.flags & EDGE.success) === 0;
  const all = graph.states.map((_, id) => id);
  const left: (readonly number[])[] = [all];
  for (let among = left.pop(); among !== undefined; among = left.pop()) {
    const members = new Set(among);
    const targets = (node: number): readonly number[] =>
      (graph.out[node] ?? []).flatMap((e) => (members.has(e.to) && fails(e) ? [e.to] : []));
    for (const component of components({ size: graph.states.length, targets }, among)) {
      const inside = new Set(component);
      const edges = component.flatMap((node) =>
        (graph.out[node] ?? []).filter((e) => inside.has(e.to) && fails(e)),
      );
      const mine = edges.filter((edge) => edge.agent === pe);
      const fault = mine.find((edge) => (edge.flags & EDGE.fault) !== 0);
      if (fault === undefined || !mine.some((edge) => (edge.flags & EDGE.work) !== 0)) continue;
      const verdict = fairness(machine, graph, component, edges);
      if (verdict.kind === 'fair') return roundTrip(fault, edges);
      if (verdict.kind === 'part') left.push(verdict.states);
    }
  }
  return null;
}

type Fairness =
  | { readonly kind: 'fair' }
  | { readonly kind: 'unfair' }
  /** Only these states may hold a fair run. */
  | { readonly kind: 'part'; readonly states: readonly number[] };

function fairness(
  machine: Machine,
  graph: StateGraph,
  component: readonly number[],
  edges: readonly Edge[],
): Fairness {
  const pes = machine.setup.threads.length;
  const acts = new Set(edges.map((edge) => edge.agent));
  const takesLock = new Set(edges.flatMap((e) => ((e.flags & EDGE.lock) === 0 ? [] : [e.agent])));
  /** Agents that could act in every state looked at so far but do not act. */
  let ignored: Set<number> | null = null;
  const lockIsFree = new Set<number>();
  for (const node of component) {
    const state = graph.states[node] as State;
    const could = new Set<number>();
    for (const t of machine.transitions(state)) {
      const agent = agentOfStep(t, pes);
      if (!acts.has(agent)) could.add(agent);
      if (takesLock.has(agent) || agent >= pes) continue;
      machine.inspect.load(state);
      const info = machine.inspect.window(agent).infos[t.index] as EffectInfo;
      if (info.effect.kind === 'lock') lockIsFree.add(node);
    }
    const before: Set<number> = ignored ?? could;
    ignored = new Set([...before].filter((agent) => could.has(agent)));
  }
  if (ignored !== null && ignored.size > 0) return { kind: 'unfair' };
  if (lockIsFree.size === 0) return { kind: 'fair' };
  return { kind: 'part', states: component.filter((node) => !lockIsFree.has(node)) };
}

/** The shortest way round through a fault, inside the component. */
function roundTrip(fault: Edge, edges: readonly Edge[]): readonly Edge[] {
  const out = new Map<number, Edge[]>();
  for (const edge of edges) out.set(edge.from, [...(out.get(edge.from) ?? []), edge]);
  const cameBy = new Map<number, Edge>();
  const queue = [fault.to];
  for (let i = 0; i < queue.length && !cameBy.has(fault.from); i += 1) {
    for (const edge of out.get(queue[i] as number) ?? []) {
      if (cameBy.has(edge.to) || edge.to === fault.to) continue;
      cameBy.set(edge.to, edge);
      queue.push(edge.to);
    }
  }
  const round: Edge[] = [];
  for (let at = fault.from; at !== fault.to;) {
    const edge = cameBy.get(at);
    if (edge === undefined) break;
    round.push(edge);
    at = edge.from;
  }
  return [fault, ...round.reverse()];
}
