import type { ThreadTree } from './thread-tree.ts';

/** One thread that does what the first tree says and, when that has ended, what the second one says. */
export function thenTree(first: ThreadTree, second: ThreadTree): ThreadTree {
  const early = (node: number): number =>
    first.effectAt(node) === null ? late(second.root) : 2 * node;
  const late = (node: number): number => 2 * node + 1;
  return {
    name: first.name,
    symbolic: first.symbolic || second.symbolic,
    root: early(first.root),
    effectAt: (node) => (node % 2 === 0 ? first : second).effectAt(node >> 1),
    next: (node, answer) =>
      node % 2 === 0 ? early(first.next(node >> 1, answer)) : late(second.next(node >> 1, answer)),
  };
}
