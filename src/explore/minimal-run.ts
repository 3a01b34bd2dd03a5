import type { Candidate } from '../candidates/candidate.ts';
import type { State } from '../machine/state.ts';
import type { Machine } from '../machine/machine.ts';
import type { Transition } from '../machine/transition.ts';
import type { Rule } from '../rules/rule.ts';
import { operationOf } from '../trace/operation.ts';
import { intSequencePool } from '../util/int-sequence-pool.ts';
import { factAtEnd } from './check.ts';
import type { SearchLimits } from './search.ts';

/** A run that breaks a rule, and whether a cheaper one has been ruled out. */
export interface MinimalRun {
  readonly kind: 'run';
  readonly steps: readonly Transition[];
  readonly message: string;
  /** Maximal groups of consecutive events of one kernel-level operation. */
  readonly operations: number;
  /** States looked at; all runs of a lower cost are among them. */
  readonly explored: number;
}

/** No such run, or not found within the limits. */
export type NoRun = { readonly kind: 'none' | 'limit'; readonly explored: number };

/** More than there are operations in any run, so that a pair of state and operation has one key. */
const OPERATIONS = 2 ** 24;

/** Functions whose statements are steps: those the candidate stands for. */
export function openedFunctions(candidate: Pick<Candidate, 'mirrors'>): ReadonlySet<string> {
  return new Set(candidate.mirrors.map((mirror) => mirror.function));
}

/**
 * The canonical run that breaks a rule. Its cost is: fewest operations (maximal groups of consecutive
 * events of one kernel-level operation of one agent), then fewest events; among equals the first in
 * the machine's own order of transitions, which is fixed. All transitions are explored, without
 * reduction, in ascending order of cost, so that the first run found is minimal, and the same whoever
 * looks for it.
 */
export function minimalRun(
  machine: Machine,
  candidate: Pick<Candidate, 'mirrors'>,
  rule: Rule,
  limits: SearchLimits,
): MinimalRun | NoRun {
  const opened = openedFunctions(candidate);
  const pool = intSequencePool();
  const width = machine.initial.length;
  const keys = new Map<string, number>([['', 0]]);
  const states: State[] = [];
  const successors: (readonly Successor[] | undefined)[] = [];
  const nodes: Node[] = [];
  const settled = new Set<number>();

  function stateId(state: State): number {
    const id = pool.intern(state, width);
    if (id === states.length) states.push(state);
    return id;
  }

  function keyId(key: string): number {
    const known = keys.get(key);
    if (known !== undefined) return known;
    keys.set(key, keys.size);
    return keys.size - 1;
  }

  function successorsOf(id: number): readonly Successor[] {
    const known = successors[id];
    if (known !== undefined) return known;
    const state = states[id] as State;
    const found = machine.transitions(state).map((transition): Successor => {
      const operation = operationOf(machine, state, transition, opened);
      let message: string | null = null;
      for (const fact of transition.facts) message ??= rule.check(fact);
      return {
        transition,
        state: stateId(transition.next),
        operation: operation === null ? -1 : keyId(operation.key),
        message,
      };
    });
    successors[id] = found;
    return found;
  }

  // Nodes by cost: operations first, events second.
  const queue: number[][][] = [];
  function enqueue(node: Node): void {
    nodes.push(node);
    const level = (queue[node.operations] ??= []);
    (level[node.events] ??= []).push(nodes.length - 1);
  }

  function runTo(index: number): Transition[] {
    const steps: Transition[] = [];
    for (let at = nodes[index]; at !== undefined && at.step !== null; at = nodes[at.parent]) {
      steps.push(at.step);
    }
    return steps.reverse();
  }

  function done(node: number, message: string): MinimalRun {
    const { operations } = nodes[node] as Node;
    return { kind: 'run', steps: runTo(node), message, operations, explored: states.length };
  }

  enqueue({
    state: stateId(machine.initial),
    operation: 0,
    operations: 0,
    events: 0,
    parent: -1,
    step: null,
    message: null,
  });
  for (let operations = 0; operations < queue.length; operations += 1) {
    const level = queue[operations] ?? [];
    for (let events = 0; events < level.length; events += 1) {
      for (const index of level[events] ?? []) {
        const node = nodes[index] as Node;
        // A violation is a node of its own, so that cheaper ones are looked at first.
        if (node.message !== null) return done(index, node.message);
        const key = node.state * OPERATIONS + node.operation;
        if (settled.has(key)) continue;
        settled.add(key);
        if (
          states.length > limits.states ||
          (settled.size % 512 === 0 && limits.expired?.() === true)
        ) {
          return { kind: 'limit', explored: states.length };
        }
        const following = successorsOf(node.state);
        if (following.every(({ transition }) => transition.pe < 0)) {
          const fact = factAtEnd(machine, states[node.state] as State);
          const message = fact === null ? null : rule.check(fact);
          if (message !== null) return done(index, message);
        }
        for (const next of following) {
          const same = next.operation < 0 || next.operation === node.operation;
          const operation = next.operation < 0 ? node.operation : next.operation;
          if (next.message === null && settled.has(next.state * OPERATIONS + operation)) continue;
          enqueue({
            state: next.state,
            operation,
            operations: node.operations + (same ? 0 : 1),
            events: node.events + 1,
            parent: index,
            step: next.transition,
            message: next.message,
          });
        }
      }
    }
  }
  return { kind: 'none', explored: states.length };
}

interface Successor {
  readonly transition: Transition;
  readonly state: number;
  readonly operation: number;
  readonly message: string | null;
}

interface Node {
  readonly state: number;
  readonly operation: number;
  readonly operations: number;
  readonly events: number;
  readonly parent: number;
  readonly step: Transition | null;
  readonly message: string | null;
}
