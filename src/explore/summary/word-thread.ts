import type { Effect } from '../../program/effect.ts';
import type { ThreadTree } from '../../program/thread-tree.ts';
import type { WordTable } from './word.ts';

type Node =
  | { readonly kind: 'effect'; readonly effect: Effect; readonly next: number }
  | { readonly kind: 'choose'; readonly effect: Effect; readonly targets: number[] }
  | { readonly kind: 'end' };

/**
 * The thread of a word: a finite graph. After each time round a loop the thread is free to go round
 * again. That choice is no instruction: it orders nothing and takes no place in the window.
 */
export function wordThread(
  name: string,
  word: number,
  words: WordTable,
  effectOf: (token: number, isInLoop: boolean) => Effect,
): ThreadTree {
  const nodes: Node[] = [{ kind: 'end' }];
  const made = new Map<string, number>();

  function add(node: Node): number {
    nodes.push(node);
    return nodes.length - 1;
  }

  function choose(targets: number[]): Node {
    return {
      kind: 'choose',
      targets,
      effect: {
        kind: 'choose',
        options: 0,
        detached: true,
        location: { file: 'scenario', line: 0, function: name, text: 'the same for other pages' },
      },
    };
  }

  /** The node at which `of` begins, and after it comes `next`. */
  function compile(of: number, next: number, isInLoop: boolean): number {
    const key = `${of},${next},${isInLoop}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    let at = next;
    for (const atom of [...words.atoms(of)].reverse()) {
      if (atom.kind === 'token') {
        at = add({ kind: 'effect', effect: effectOf(atom.token, isInLoop), next: at });
        continue;
      }
      const exit = at;
      const targets: number[] = [];
      const again = add(choose(targets));
      const bodies = atom.words.map((each) => compile(each, again, true));
      targets.push(...bodies, exit);
      const [only] = bodies;
      at = bodies.length === 1 && only !== undefined ? only : add(choose(bodies));
    }
    made.set(key, at);
    return at;
  }

  const root = compile(word, 0, false);
  for (const [index, node] of nodes.entries()) {
    if (node.kind !== 'choose' || node.effect.kind !== 'choose') continue;
    nodes[index] = { ...node, effect: { ...node.effect, options: node.targets.length } };
  }

  function nodeAt(index: number): Node {
    const node = nodes[index];
    if (node === undefined) throw new Error(`thread ${name} has no node ${index}`);
    return node;
  }

  return {
    name,
    root,
    symbolic: false,
    effectAt(index) {
      const node = nodeAt(index);
      return node.kind === 'end' ? null : node.effect;
    },
    next(index, answer) {
      const node = nodeAt(index);
      switch (node.kind) {
        case 'effect':
          return node.next;
        case 'choose': {
          const target = node.targets[answer.kind === 'value' ? Number(answer.value) : 0];
          if (target === undefined) throw new Error(`thread ${name} has no such choice`);
          return target;
        }
        case 'end':
          throw new Error(`thread ${name} has ended`);
      }
    },
  };
}
