import type { Machine, Transition } from '../machine/machine.ts';
import type { State } from '../machine/draft.ts';
import { intSequencePool } from '../util/int-sequence-pool.ts';
import type { SearchLimits } from './search.ts';

/** A way into a loop of faults, and once around it. */
export interface FaultLoop {
  readonly kind: 'loop';
  readonly steps: readonly Transition[];
  readonly message: string;
  readonly states: number;
}

/** Nothing found; `limit` when not all states were seen. */
export type NoLoop = { readonly kind: 'none' | 'limit'; readonly states: number };

interface Edge {
  readonly to: number;
  readonly step: Transition;
}

/**
 * Looks for a loop of states that fair scheduling does not end and in which a stage-2 fault is taken:
 * every PE that can do something somewhere in the loop also does something in it. Meant for guests
 * that want one access each and try until it comes through, so that any such loop is a guest that
 * faults for ever while the host handles its faults.
 *
 * The states are those of the reduced search, so a loop that is found is real; a loop that exists only
 * among the orders the reduction leaves out is not seen (docs/model.md).
 */
export function findFaultLoop(machine: Machine, limits: SearchLimits): FaultLoop | NoLoop {
  const pool = intSequencePool();
  const width = machine.initial.length;
  const states: State[] = [machine.initial];
  const edges: (readonly Edge[])[] = [];
  const parents: { readonly from: number; readonly step: Transition }[] = [];
  pool.intern(machine.initial, width);
  for (let id = 0; id < states.length; id += 1) {
    if (states.length > limits.states || (id % 512 === 511 && limits.expired?.() === true)) {
      return { kind: 'limit', states: states.length };
    }
    const state = states[id] as State;
    const eager = machine.eager(state);
    const steps = eager.length > 0 ? eager : machine.transitions(state);
    edges[id] = steps.map((step) => {
      const to = pool.intern(step.next, width);
      if (to === states.length) {
        states.push(step.next);
        parents[to] = { from: id, step };
      }
      return { to, step };
    });
  }
  for (const component of components(edges)) {
    const inside = new Set(component);
    const inner = component.flatMap((from) =>
      (edges[from] ?? []).filter(({ to }) => inside.has(to)).map((edge) => ({ from, ...edge })),
    );
    const fault = inner.find(({ step }) =>
      step.facts.some((fact) => fact.kind === 'fault-taken' && fact.stage === 2),
    );
    if (fault === undefined || !isFair(component, edges, inner)) continue;
    const steps = [
      ...wayTo(fault.from, parents),
      fault.step,
      ...wayBack(fault.to, fault.from, edges, inside),
    ];
    const message = `cpu${fault.step.pe} can fault for ever on one access while the host handles its faults`;
    return { kind: 'loop', steps, message, states: states.length };
  }
  return { kind: 'none', states: states.length };
}

/** Every PE that has something to do in the loop does something in it. */
function isFair(
  component: readonly number[],
  edges: readonly (readonly Edge[])[],
  inner: readonly Edge[],
): boolean {
  const able = new Set<number>();
  for (const id of component) {
    for (const { step } of edges[id] ?? []) if (step.pe >= 0) able.add(step.pe);
  }
  const active = new Set(inner.map(({ step }) => step.pe));
  return [...able].every((pe) => active.has(pe));
}

/** Strongly connected components that contain a cycle (Tarjan's algorithm, without recursion). */
function components(edges: readonly (readonly Edge[])[]): readonly (readonly number[])[] {
  const found: number[][] = [];
  const index = new Int32Array(edges.length).fill(-1);
  const low = new Int32Array(edges.length);
  const onStack = new Uint8Array(edges.length);
  const stack: number[] = [];
  let next = 0;
  for (let root = 0; root < edges.length; root += 1) {
    if (index[root] !== -1) continue;
    const work: { readonly node: number; edge: number }[] = [{ node: root, edge: 0 }];
    while (work.length > 0) {
      const frame = work[work.length - 1] as { readonly node: number; edge: number };
      const { node } = frame;
      if (frame.edge === 0) {
        index[node] = next;
        low[node] = next;
        next += 1;
        stack.push(node);
        onStack[node] = 1;
      }
      const edge = edges[node]?.[frame.edge];
      if (edge !== undefined) {
        frame.edge += 1;
        if (index[edge.to] === -1) work.push({ node: edge.to, edge: 0 });
        else if (onStack[edge.to] === 1) low[node] = Math.min(low[node] ?? 0, index[edge.to] ?? 0);
        continue;
      }
      work.pop();
      const parent = work[work.length - 1]?.node;
      if (parent !== undefined) low[parent] = Math.min(low[parent] ?? 0, low[node] ?? 0);
      if (low[node] !== index[node]) continue;
      const component: number[] = [];
      for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
        onStack[top] = 0;
        component.push(top);
        if (top === node) break;
      }
      const cyclic = component.length > 1 || (edges[node] ?? []).some(({ to }) => to === node);
      if (cyclic) found.push(component);
    }
  }
  return found;
}

function wayTo(
  state: number,
  parents: readonly { readonly from: number; readonly step: Transition }[],
): Transition[] {
  const steps: Transition[] = [];
  for (let at = parents[state]; at !== undefined; at = parents[at.from]) steps.push(at.step);
  return steps.reverse();
}

/** A shortest way from one state of the component to another inside of it. */
function wayBack(
  from: number,
  to: number,
  edges: readonly (readonly Edge[])[],
  inside: ReadonlySet<number>,
): readonly Transition[] {
  const came = new Map<number, { readonly from: number; readonly step: Transition }>();
  const queue = [from];
  for (const id of queue) {
    if (id === to) break;
    for (const edge of edges[id] ?? []) {
      if (!inside.has(edge.to) || came.has(edge.to) || edge.to === from) continue;
      came.set(edge.to, { from: id, step: edge.step });
      queue.push(edge.to);
    }
  }
  const steps: Transition[] = [];
  for (let at = came.get(to); at !== undefined && to !== from;) {
    steps.push(at.step);
    if (at.from === from) break;
    at = came.get(at.from);
  }
  return steps.reverse();
}
