import { READ, READ_INTS } from './read-trail.ts';
import type { State } from './state.ts';

/**
 * Remembers what was found at a site, by what was looked at to find it: a tree with one look at a state
 * on each inner node, a branch for each value found, and a result at each leaf. Following a branch
 * is a handful of look-ups and allocates nothing; the work behind it is done once for all states that look alike
 * to it.
 *
 * This is exact: the result is a function of what was looked at. That one node always looks at the
 * same thing is checked whenever a branch is added.
 */
export interface LookMemo<Result extends object> {
  /** What is remembered for states that look like this one, or null. */
  get(site: number, state: State): Result | null;
  /** Remembers a result by its looks, as `ReadTrail.stop` has them. */
  learn(site: number, looks: readonly number[], result: Result): void;
  /** The looks by which `get` finds what is remembered for a state. */
  looks(site: number, state: State): readonly number[];
  /** Forgets everything: memory is freed, nothing else changes. */
  forget(): void;
}

/** A part of a state, as the trail has it (`READ`). */
export type PartOf = (state: State, kind: number, component: number, argument: number) => number;

/** A node; the first value is kept in the node itself, for most nodes have one. */
interface Node<Result> {
  kind: number;
  component: number;
  argument: number;
  value: number;
  child: Node<Result> | null;
  others: Map<number, Node<Result>> | null;
  /** What was found, at a leaf. */
  result: Result | null;
}

/** Most nodes kept: when there are more, all is forgotten and learned again. */
const MOST_NODES = 3_000_000;

/** An empty memory over states whose parts `part` tells. */
export function createLookMemo<Result extends object>(part: PartOf): LookMemo<Result> {
  let roots: (Node<Result> | undefined)[] = [];
  let nodes = 0;

  function newNode(): Node<Result> {
    nodes += 1;
    return {
      kind: -1,
      component: -1,
      argument: -1,
      value: -1,
      child: null,
      others: null,
      result: null,
    };
  }

  function forget(): void {
    roots = [];
    nodes = 0;
  }

  function valueAt(node: Node<Result>, state: State): number {
    return node.kind === READ.whole
      ? (state[node.component] as number)
      : part(state, node.kind, node.component, node.argument);
  }

  return {
    forget,
    get(site, state) {
      let node: Node<Result> | null | undefined = roots[site];
      while (node !== undefined && node !== null && node.result === null) {
        const value = valueAt(node, state);
        node = value === node.value ? node.child : node.others?.get(value);
      }
      return node === undefined || node === null ? null : node.result;
    },
    learn(site, looks, result) {
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
          throw new Error('what is found at a site depends on something that is not in the state');
        }
        let next = value === node.value ? node.child : node.others?.get(value);
        if (next === undefined || next === null) {
          next = newNode();
          (node.others ??= new Map<number, Node<Result>>()).set(value, next);
        }
        node = next;
      }
      node.result = result;
    },
    looks(site, state) {
      const looks: number[] = [];
      let node: Node<Result> | null | undefined = roots[site];
      while (node !== undefined && node !== null && node.result === null) {
        const value = valueAt(node, state);
        looks.push(node.kind, node.component, node.argument, value);
        node = value === node.value ? node.child : node.others?.get(value);
      }
      return looks;
    },
  };
}
