import type { Answer, Effect } from '../../../program/effect.ts';
import type { Expr } from '../../../program/expr.ts';
import { answerKey, type ThreadTree } from '../../../program/thread-tree.ts';
import type { Register } from '../assembly/instruction.ts';
import type { RecordedFault } from './recorded-fault.ts';
import type { Step } from './step-basics.ts';
import { step } from './step.ts';
import type { ThreadProgram } from './thread-program.ts';
import { stateKey, type ThreadState } from './thread-state.ts';
import { readRegister } from './values.ts';

/** The tree of an assembly thread, with what conditions ask about a node. */
export interface LitmusThread extends ThreadTree {
  /** Contents of a general register at a node. */
  registerAt(node: number, register: Register): Expr;
  /** Faults and calls taken on the way to a node. */
  faultsAt(node: number): readonly RecordedFault[];
}

interface Node {
  /** The state at which the thread asks, or has ended. */
  readonly state: ThreadState;
  readonly effect: Effect | null;
  readonly resume: ((answer: Answer) => ThreadState) | null;
  readonly children: Map<string, number>;
}

/** Silent steps after which a thread counts as never asking again. */
const SILENT_LIMIT = 10_000;

/**
 * The effect tree of a thread. Nodes are made when first reached and shared by state, so that paths
 * that meet again with equal registers are one node.
 */
export function litmusThread(program: ThreadProgram): LitmusThread {
  const nodes: Node[] = [];
  const byState = new Map<string, number>();

  /** Runs to the next effect. */
  function settle(from: ThreadState): { readonly state: ThreadState; readonly step: Step } {
    let state = from;
    for (let steps = 0; steps < SILENT_LIMIT; steps += 1) {
      const next = step(program, state);
      if (next.kind !== 'silent') return { state, step: next };
      state = next.state;
    }
    return settle({ ...state, status: 'stuck' });
  }

  function nodeFor(from: ThreadState): number {
    const { state, step: next } = settle(from);
    const key = stateKey(state, program.table);
    const known = byState.get(key);
    if (known !== undefined) return known;
    nodes.push({
      state,
      effect: next.kind === 'ask' ? next.effect : null,
      resume: next.kind === 'ask' ? next.resume : null,
      children: new Map(),
    });
    byState.set(key, nodes.length - 1);
    return nodes.length - 1;
  }

  function nodeAt(node: number): Node {
    const at = nodes[node];
    if (at === undefined) throw new Error(`thread ${program.name} has no node ${node}`);
    return at;
  }

  const root = nodeFor(program.initial);
  return {
    name: program.name,
    root,
    symbolic: true,
    effectAt: (node) => nodeAt(node).effect,
    next(node, answer) {
      const at = nodeAt(node);
      if (at.resume === null || at.effect === null) {
        throw new Error(`thread ${program.name} has ended at node ${node}`);
      }
      const key = edgeKey(at.effect, answer);
      const known = at.children.get(key);
      if (known !== undefined) return known;
      const child = nodeFor(at.resume(answer));
      at.children.set(key, child);
      return child;
    },
    registerAt: (node, register) => readRegister(program.table, nodeAt(node).state, register),
    faultsAt: (node) => nodeAt(node).state.faults,
  };
}

/** Values matter only to guesses and choices: registers hold expressions, not values. */
function edgeKey(effect: Effect, answer: Answer): string {
  if (answer.kind !== 'value') return answerKey(answer);
  const chosen = effect.kind === 'branch' || effect.kind === 'select' || effect.kind === 'choose';
  return chosen ? answerKey(answer) : 'd';
}
