import type { Answer, Effect } from './effect.ts';
import { answerKey, type ThreadTree } from './thread-tree.ts';

/** A host or guest thread written as a generator: it yields effects and is resumed with answers. */
export type ThreadBody = () => Generator<Effect, 'ends' | 'repeats', Answer>;

/**
 * Effects on one way through a body after which it is taken for a loop that does not end. The longest way of a body
 * of ours has some thousands; barriers of which nobody sees anything are no states, so that no limit of a search would stop it.
 */
const LONGEST_WAY = 100_000;

/** A body asks for effect after effect. */
export class EndlessThread extends Error {
  override readonly name = 'EndlessThread';

  constructor(thread: string) {
    super(
      `the code of ${thread} asks for more than ${LONGEST_WAY} effects in one run; does a loop of it not end?`,
    );
  }
}

interface Node {
  readonly parent: number;
  /** Effects before this one. */
  readonly depth: number;
  readonly answer: Answer | null;
  readonly effect: Effect | null;
  readonly children: Map<string, number>;
}

/**
 * The effect tree of a generator. JavaScript cannot copy a generator, so a new node is reached by
 * running a fresh one along the answers on the way; the generator that made the newest node is kept,
 * so a thread without branches is run once. A body must be deterministic in its answers.
 *
 * A body that returns `repeats` starts again from its root: the tree becomes a finite graph, which is
 * what lets an unbounded guest be explored exhaustively. `next` throws `EndlessThread` where a body asks for
 * more than any real one does.
 */
export function generatorThread(name: string, body: ThreadBody): ThreadTree {
  const nodes: Node[] = [];
  let live: { node: number; generator: ReturnType<ThreadBody> } | null = null;

  function addNode(
    parent: number,
    answer: Answer | null,
    result: IteratorResult<Effect, 'ends' | 'repeats'>,
  ): number {
    if (result.done === true && result.value === 'repeats') {
      if (parent < 0) throw new Error(`thread ${name} repeats without asking for an effect`);
      return 0;
    }
    const effect = result.done === true ? null : result.value;
    const depth = parent < 0 ? 0 : nodeAt(parent).depth + 1;
    if (depth > LONGEST_WAY) throw new EndlessThread(name);
    nodes.push({ parent, depth, answer, effect, children: new Map() });
    return nodes.length - 1;
  }

  function generatorAt(node: number): ReturnType<ThreadBody> {
    const answers: Answer[] = [];
    for (let n = node; n > 0;) {
      const at = nodeAt(n);
      if (at.answer !== null) answers.push(at.answer);
      n = at.parent;
    }
    const generator = body();
    generator.next();
    for (let i = answers.length - 1; i >= 0; i -= 1) {
      const answer = answers[i];
      if (answer !== undefined) generator.next(answer);
    }
    return generator;
  }

  function nodeAt(node: number): Node {
    const at = nodes[node];
    if (at === undefined) throw new Error(`thread ${name} has no node ${node}`);
    return at;
  }

  const first = body();
  addNode(-1, null, first.next());
  live = { node: 0, generator: first };

  return {
    name,
    root: 0,
    symbolic: false,
    effectAt: (node) => nodeAt(node).effect,
    next(node, answer) {
      const at = nodeAt(node);
      const key = answerKey(answer);
      const known = at.children.get(key);
      if (known !== undefined) return known;
      const generator = live !== null && live.node === node ? live.generator : generatorAt(node);
      const child = addNode(node, answer, generator.next(answer));
      at.children.set(key, child);
      live = child === nodes.length - 1 && child !== 0 ? { node: child, generator } : null;
      return child;
    },
  };
}
