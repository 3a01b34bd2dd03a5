import type { Draft } from './draft.ts';
import { READ, READ_INTS } from './read-trail.ts';
import type { State, Step } from './state.ts';

/**
 * Remembers what steps a site has, by what was looked at to find them: a tree with one look at a state
 * on each inner node, a branch for each value found, and the steps at its leaves. Following a branch
 * is a handful of look-ups; the work behind it is done once for all states that look alike to it.
 *
 * This is exact: the steps are a function of what was looked at. That one node always looks at the
 * same thing is checked whenever a branch is added.
 */
export interface StepMemo {
  /** The steps of a site: those remembered, or those that `find` returns, run on the draft. */
  steps(
    site: number,
    state: State,
    find: (state: State, site: number) => readonly Step[],
  ): readonly Step[];
  /** Forgets everything: memory is freed, nothing else changes. */
  forget(): void;
}

/** A node; the first value is kept in the node itself, for most nodes have one. */
interface Node {
  kind: number;
  component: number;
  argument: number;
  value: number;
  child: Node | null;
  others: Map<number, Node> | null;
  /** The steps, at a leaf. */
  steps: readonly Step[] | null;
}

/** Most nodes kept: when there are more, all is forgotten and learned again. */
const MOST_NODES = 3_000_000;

/** An empty memory over the draft of a machine. */
export function createStepMemo(draft: Draft): StepMemo {
  const { trail, memory } = draft;
  let roots: (Node | undefined)[] = [];
  let nodes = 0;

  function newNode(): Node {
    nodes += 1;
    return {
      kind: -1,
      component: -1,
      argument: -1,
      value: -1,
      child: null,
      others: null,
      steps: null,
    };
  }

  function forget(): void {
    roots = [];
    nodes = 0;
  }

  function learn(site: number, looks: readonly number[], steps: readonly Step[]): void {
    if (nodes > MOST_NODES) forget();
    let node = (roots[site] ??= newNode());
    for (let i = 0; i < looks.length; i += READ_INTS) {
      const value = looks[i + 3] as number;
      if (node.kind < 0) {
        node.kind = looks[i] as number;
        node.component = looks[i + 1] as number;
        node.argument = looks[i + 2] as number;
        node.value = value;
        node = node.child = newNode();
        continue;
      }
      if (
        node.kind !== looks[i] ||
        node.component !== looks[i + 1] ||
        node.argument !== looks[i + 2]
      ) {
        throw new Error('the steps of a site depend on something that is not in the state');
      }
      let next = value === node.value ? node.child : node.others?.get(value);
      if (next === undefined || next === null) {
        next = newNode();
        (node.others ??= new Map<number, Node>()).set(value, next);
      }
      node = next;
    }
    node.steps = steps;
  }

  return {
    forget,
    steps(site, state, find) {
      let node: Node | null | undefined = roots[site];
      while (node !== undefined && node !== null && node.steps === null) {
        const value: number =
          node.kind === READ.whole
            ? (state[node.component] as number)
            : draft.part(state, node.kind, node.component, node.argument);
        node = value === node.value ? node.child : node.others?.get(value);
      }
      if (node !== undefined && node !== null && node.steps !== null) return node.steps;
      for (;;) {
        const linesWereWalked = memory.linesAreWalked();
        trail.start();
        const steps = find(state, site);
        const looks = trail.stop();
        // The first walk that reads a line makes lines part of what walks look at.
        if (memory.linesAreWalked() !== linesWereWalked) continue;
        learn(site, looks, steps);
        return steps;
      }
    },
  };
}
