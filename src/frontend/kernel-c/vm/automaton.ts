import { advance, type Advance } from './advance.ts';
import type { Answer, VmEvent } from './event.ts';
import type { Program } from './program.ts';
import { fingerprint, type VmState } from './state.ts';

/**
 * A host thread as an automaton that is discovered while it is walked. A node is a state just before a
 * visible event, known by a number; an edge is labelled with what the outside answered. The machine
 * runs only when an edge is missing, so an explorer keeps one integer per host thread and pays a look-up
 * per step.
 */
export interface Automaton {
  readonly program: Program;
  readonly nodes: AutomatonNode[];
  readonly byFingerprint: Map<string, number>;
}

export type AutomatonNode =
  | {
      readonly kind: 'event';
      readonly event: VmEvent;
      readonly state: VmState;
      readonly edges: Map<string, number>;
    }
  | { readonly kind: 'finished'; readonly value: bigint | null; readonly state: VmState }
  | (Advance & { readonly kind: 'stopped' });

export function createAutomaton(program: Program): Automaton {
  return { program, nodes: [], byFingerprint: new Map() };
}

/** The number of the node that a run has come to; equal states get the same one. */
export function nodeOf(automaton: Automaton, reached: Advance): number {
  const key = keyOf(reached);
  const known = automaton.byFingerprint.get(key);
  if (known !== undefined) return known;
  const number = automaton.nodes.length;
  automaton.nodes.push(reached.kind === 'event' ? { ...reached, edges: new Map() } : reached);
  automaton.byFingerprint.set(key, number);
  return number;
}

export function nodeAt(automaton: Automaton, number: number): AutomatonNode {
  const node = automaton.nodes[number];
  if (node === undefined) throw new RangeError(`this automaton has no node ${number}`);
  return node;
}

/** Follows the edge of an answer, running the machine the first time. */
export function follow(automaton: Automaton, from: number, answer: Answer): number {
  const node = nodeAt(automaton, from);
  if (node.kind !== 'event') throw new RangeError(`node ${from} waits for no answer`);
  const label = `${answer.values.map((value) => value.toString(36)).join(',')};${answer.label ?? ''}`;
  const known = node.edges.get(label);
  if (known !== undefined) return known;
  const to = nodeOf(automaton, advance(automaton.program, node.state, answer));
  node.edges.set(label, to);
  return to;
}

/** True when no node has two answers that lead to different nodes: the thread is one line so far. */
export function isLine(automaton: Automaton): boolean {
  return automaton.nodes.every(
    (node) => node.kind !== 'event' || new Set(node.edges.values()).size <= 1,
  );
}

function keyOf(reached: Advance): string {
  switch (reached.kind) {
    case 'event':
      return fingerprint(reached.state);
    case 'finished':
      return `finished ${reached.value ?? ''} ${fingerprint(reached.state)}`;
    case 'stopped':
      return `stopped ${JSON.stringify(reached)}`;
  }
}
