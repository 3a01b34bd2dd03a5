import type { Answer as MachineAnswer, Effect } from '../../../program/effect.ts';
import { answerKey, type ThreadTree } from '../../../program/thread-tree.ts';
import { type Diagnostic, FrontendError } from '../diagnostic.ts';
import type { Environment } from '../runtime/environment.ts';
import { react } from '../runtime/react.ts';
import type { Reaction } from '../runtime/reaction.ts';
import { initialState, type RuntimeState, stateKey } from '../runtime/state.ts';
import {
  advance,
  type Advance,
  continueThread,
  type StackEntry,
  stackOf,
  startThread,
} from '../vm/advance.ts';
import type { Program } from '../vm/program.ts';
import { fingerprint, type VmState } from '../vm/state.ts';
import { locationOf } from './location.ts';

/** A host thread that runs C: the call it starts with, and what is asked for around it. */
export interface KernelThread {
  readonly name: string;
  readonly program: Program;
  readonly environment: Environment;
  readonly entry: string;
  readonly arguments: readonly bigint[];
  /** Where a set-up has left the thread's objects; absent: as they are defined. */
  readonly objects?: VmState;
  /** Objects, by their keys, that other threads see as well, so that this one may not write them. */
  readonly constant?: readonly string[];
  /** Effects before the call and after it has returned, whose answers nobody looks at. */
  readonly before: readonly Effect[];
  readonly after: readonly Effect[];
  /** It is run once, from its beginning to its end: no state is compared with those before it. */
  readonly once?: boolean;
}

/** The thread just before an effect of its code. */
interface Asking {
  readonly kind: 'asking';
  readonly effect: Effect;
  readonly resume: (answer: MachineAnswer) => Reaction;
  readonly state: VmState;
  /** Names the event and the answers to its effects so far. */
  readonly key: string;
  readonly edges: Map<string, number>;
}

type Node =
  | Asking
  /** Before the effect of this index in `before` or `after`; past the last of `after` at the end. */
  | { readonly kind: 'around'; readonly list: 'before' | 'after'; readonly index: number };

/**
 * The effect tree of a kernel thread. A node is a state of the VM and of the runtime just before an
 * effect, known by a number; equal states are one node, and the VM runs only when an edge is missing.
 * Throws a `FrontendError` where the code does something that is not understood.
 */
export function kernelThread(thread: KernelThread): ThreadTree {
  const { program, environment } = thread;
  const nodes: Node[] = [];
  const known = new Map<string, number>();

  function numberOf(key: string, make: () => Node): number {
    const found = known.get(key);
    if (found !== undefined) return found;
    nodes.push(make());
    known.set(key, nodes.length - 1);
    return nodes.length - 1;
  }

  function around(list: 'before' | 'after', index: number): number {
    if (list === 'before' && index >= thread.before.length) return start();
    return numberOf(`${list} ${index}`, () => ({ kind: 'around', list, index }));
  }

  function start(): number {
    const { entry, objects } = thread;
    const first =
      objects === undefined
        ? startThread(program, 0, entry, thread.arguments)
        : continueThread(program, 0, entry, thread.arguments, objects);
    return reach(first, initialState(environment));
  }

  /** The node of the next effect from where the VM stands, through all that nobody else sees. */
  function reach(from: Advance, runtime: RuntimeState): number {
    let at = from;
    let state = runtime;
    while (at.kind === 'event') {
      const reaction = react(program, at.event, environment, state);
      if (reaction.kind !== 'answer') {
        return visible(reaction, at.state, keyOf(at.state, state));
      }
      state = reaction.state;
      at = advance(program, at.state, reaction.answer, (event) => {
        const next = react(program, event, environment, state);
        if (next.kind !== 'answer') return null;
        state = next.state;
        return next.answer;
      });
    }
    if (at.kind === 'stopped') throw stopped(thread, at.diagnostic, at.stack);
    if (state.held.length > 0) {
      throw new FrontendError('<thread>', 0, 0, `${thread.entry} returns with a lock held`);
    }
    return around('after', 0);
  }

  function keyOf(state: VmState, runtime: RuntimeState): string {
    return thread.once === true ? `${nodes.length}` : `${fingerprint(state)}#${stateKey(runtime)}`;
  }

  /** The state keeps each thread's objects apart, so what threads share must stay as it was. */
  function checkConstants(state: VmState): void {
    for (const key of thread.constant ?? []) {
      const [before, now] = [thread.objects?.objects.get(key), state.objects.get(key)];
      if (before === undefined || now === undefined || before === now) continue;
      if (before.bytes.every((byte, i) => byte === now.bytes[i])) continue;
      throw refused(
        thread,
        `the code has written ${program.symbols.get(key)?.name ?? key}, which other host threads see too; with several of them that is not followed`,
        stackOf(program, state),
      );
    }
  }

  function visible(reaction: Reaction, state: VmState, key: string): number {
    checkConstants(state);
    switch (reaction.kind) {
      case 'answer':
        return reach(advance(program, state, reaction.answer), reaction.state);
      case 'stop':
        throw refused(thread, reaction.message, stackOf(program, state));
      case 'ask':
        return numberOf(key, () => ({
          kind: 'asking',
          effect: {
            ...reaction.effect,
            location: locationOf(stackOf(program, state), reaction.text),
          },
          resume: reaction.resume,
          state,
          key,
          edges: new Map(),
        }));
    }
  }

  function nodeAt(number: number): Node {
    const node = nodes[number];
    if (node === undefined) throw new RangeError(`thread ${thread.name} has no node ${number}`);
    return node;
  }

  return {
    name: thread.name,
    root: around('before', 0),
    symbolic: false,
    effectAt(number) {
      const node = nodeAt(number);
      return node.kind === 'asking' ? node.effect : (thread[node.list][node.index] ?? null);
    },
    next(number, answer) {
      const node = nodeAt(number);
      if (node.kind === 'around') return around(node.list, node.index + 1);
      const label = answerKey(answer);
      const edge = node.edges.get(label);
      if (edge !== undefined) return edge;
      const key = thread.once === true ? `${nodes.length}` : `${node.key}>${label}`;
      const to = visible(node.resume(answer), node.state, key);
      node.edges.set(label, to);
      return to;
    },
  };
}

function refused(
  thread: KernelThread,
  message: string,
  stack: readonly StackEntry[],
): FrontendError {
  const inner = stack[0];
  if (inner === undefined) return new FrontendError('<thread>', 0, 0, message);
  const { file, line, column } = inner.origin.use;
  return new FrontendError(file, line, column, `${message}${callsOf(thread, stack)}`);
}

function stopped(
  thread: KernelThread,
  { file, line, column, message }: Diagnostic,
  stack: readonly StackEntry[],
): FrontendError {
  return new FrontendError(file, line, column, `${message}${callsOf(thread, stack)}`);
}

function callsOf({ name }: KernelThread, stack: readonly StackEntry[]): string {
  return ` (thread ${name}: ${stack.map((entry) => entry.function).join(' < ')})`;
}
