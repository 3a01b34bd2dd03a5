import type { Answer, Effect } from '../../../program/effect.ts';
import type { Expr } from '../../../program/expr.ts';
import { answerKey, type ThreadTree } from '../../../program/thread-tree.ts';
import type { Register } from '../assembly/instruction.ts';
import type { RecordedFault } from './recorded-fault.ts';
import type { Step } from './step-basics.ts';
import { step } from './step.ts';
import type { ThreadProgram } from './thread-program.ts';
import { reject } from '../problem.ts';
import { livenessOf, type Liveness } from './liveness.ts';
import { stateKey, type ThreadState } from './thread-state.ts';
import { deadRegister, readRegister } from './values.ts';

/** The tree of an assembly thread, with what conditions ask about a node. */
export interface LitmusThread extends ThreadTree {
  /** Contents of a general register at a node; of one that is not observed only as long as it is read. */
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
 * that meet again with equal registers are one node. What is in a register that nobody will read, and
 * that the test does not show at its end (`observed`), does not count.
 */
export function litmusThread(
  program: ThreadProgram,
  observed: ReadonlySet<Register>,
): LitmusThread {
  const nodes: Node[] = [];
  const byState = new Map<string, number>();
  const liveness = livenessOf(program.code, observed);
  const dead = deadRegister(program.table);
  const noFlags = program.table.constant(0n);

  /** The state without what cannot matter any more. */
  function forget(state: ThreadState): ThreadState {
    const { pc, status } = state;
    const over = status !== 'runs';
    return {
      ...state,
      registers: state.registers.map((value, register) =>
        (over ? observed.has(register) : liveness.general(pc, register)) ? value : dead,
      ),
      flags: !over && liveness.flags(pc) ? state.flags : noFlags,
      system: new Map([...state.system].filter(([name]) => !over && liveness.system(pc, name))),
    };
  }

  /** Runs to the next effect. */
  function settle(from: ThreadState): { readonly state: ThreadState; readonly step: Step } {
    let state = from;
    for (let steps = 0; steps < SILENT_LIMIT; steps += 1) {
      const next = step(program, state);
      if (next.kind !== 'silent') {
        const left = forget(state);
        return { state: left, step: step(program, left) };
      }
      checkJump(program, liveness, state.pc, next.state.pc);
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
    keepsFaults: true,
    effectAt: (node) => nodeAt(node).effect,
    next(node, answer) {
      const at = nodeAt(node);
      if (at.resume === null || at.effect === null) {
        throw new Error(`thread ${program.name} has ended at node ${node}`);
      }
      const key = edgeKey(at.effect, answer);
      const known = at.children.get(key);
      if (known !== undefined) return known;
      const after = at.resume(answer);
      checkJump(program, liveness, at.state.pc, after.pc);
      const child = nodeFor(after);
      at.children.set(key, child);
      return child;
    },
    registerAt: (node, register) => readRegister(program.table, nodeAt(node).state, register),
    faultsAt: (node) => nodeAt(node).state.faults,
  };
}

/** Gives up on a jump that nobody makes: into the middle of a handler. */
function checkJump({ code }: ThreadProgram, liveness: Liveness, from: number, to: number): void {
  const slot = code.slots[from];
  if (slot === undefined || slot.target === to || liveness.foresaw(from, to)) return;
  reject('unsupported', slot.at, 'going on in the middle of a handler is not supported.');
}

/** Values matter only to guesses and choices: registers hold expressions, not values. */
function edgeKey(effect: Effect, answer: Answer): string {
  if (answer.kind !== 'value') return answerKey(answer);
  const chosen = effect.kind === 'branch' || effect.kind === 'select' || effect.kind === 'choose';
  return chosen ? answerKey(answer) : 'd';
}
