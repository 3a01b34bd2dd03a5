import { DONE, type Effect } from '../program/effect.ts';
import type { ThreadTree } from '../program/thread-tree.ts';
import { isTranslated } from './instance.ts';
import { isAwaited } from './fetch-ahead.ts';
import type { Pe } from './state.ts';

/** What a PE may still do, as far as its TLB and its I-cache are concerned. */
export interface Upcoming {
  /** Some T may still happen. */
  readonly translates: boolean;
  /** Some instruction fetch may still happen. */
  readonly fetches: boolean;
}

const ANYTHING: Upcoming = { translates: true, fetches: true };

/**
 * What may still happen on a PE. A TLB that no T will look into need not be tracked. The thread is
 * followed where its next effect does not depend on an answer; anything else counts as everything.
 */
export function upcoming(tree: ThreadTree, pe: Pe): Upcoming {
  const last = pe.window.at(-1);
  if (last !== undefined && isAwaited(last)) return ANYTHING;
  const open = pe.window.filter(({ done }) => !done);
  let translates = open.some((x) => isTranslated(x.effect) && x.translation === null);
  let fetches = open.some(({ effect }) => effect.kind === 'fetch');
  const seen = new Set<number>();
  const nodes = [pe.node];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    const effect = tree.effectAt(node);
    if (effect === null) continue;
    const next = nextNodes(tree, node, effect);
    if (next === null) return ANYTHING;
    // A handler of a fault is not followed, so it counts as everything.
    translates ||= isTranslated(effect);
    fetches ||= isTranslated(effect) || effect.kind === 'fetch';
    nodes.push(...next);
  }
  return { translates, fetches: fetches || translates };
}

function nextNodes(tree: ThreadTree, node: number, effect: Effect): readonly number[] | null {
  switch (effect.kind) {
    case 'load':
    case 'rmw':
    case 'fetch':
    case 'store':
      return effect.wanted ? null : [tree.next(node, DONE)];
    case 'alloc-page':
      return null;
    case 'branch':
    case 'select':
    case 'choose': {
      const options = effect.kind === 'choose' ? effect.options : 2;
      return Array.from({ length: options }, (_, i) =>
        tree.next(node, { kind: 'value', value: BigInt(i) }),
      );
    }
    default:
      return [tree.next(node, DONE)];
  }
}
