import { tlbi, type TlbiOp } from '../arm64/tlbi.ts';
import type { Answer, Effect, Place } from '../program/effect.ts';
import { picks, sources, type Expr } from '../program/expr.ts';
import { DONE } from '../program/effect.ts';
import { answerKey, type ThreadTree } from '../program/thread-tree.ts';
import type { IdTables } from '../util/id-tables.ts';
import { HEAD_WAITS } from './window.ts';

/** An effect kind as a small integer, for the step function. */
export const KIND = {
  load: 0,
  store: 1,
  rmw: 2,
  fetch: 3,
  dmb: 4,
  dsb: 5,
  isb: 6,
  tlbi: 7,
  dc: 8,
  ic: 9,
  context: 10,
  'exception-entry': 11,
  'exception-return': 12,
  branch: 13,
  choose: 14,
  lock: 15,
  unlock: 16,
  'alloc-page': 17,
  'free-page': 18,
  announce: 19,
  select: 20,
} as const;

/** What the step function needs to know of an effect, worked out once per node of a thread. */
export interface EffectInfo {
  readonly effect: Effect;
  readonly kind: number;
  /** Explicit memory read / write (an rmw is both). */
  readonly reads: boolean;
  readonly writes: boolean;
  /** The access is translated: it has a T event of its own. */
  readonly translated: boolean;
  /** Acquire or AcquirePC (the sets A and Q). */
  readonly acquire: boolean;
  /** Acquire (the set A): not allowed to pass an earlier release. */
  readonly acquireRcsc: boolean;
  readonly release: boolean;
  readonly noReturn: boolean;
  /** The thread cannot go on before this effect has answered. */
  readonly stops: boolean;
  /** ISB, exception entry, exception return: context synchronisation (IFB of the cat model). */
  readonly synchronises: boolean;
  readonly place: Place | null;
  /** The address when it is a constant. */
  readonly constantAddress: bigint | null;
  readonly data: Expr | null;
  readonly access: 'read' | 'write' | 'execute';
  readonly unprivileged: boolean;
  readonly tlbi: TlbiOp | null;
  /** Selects that picked the address or the operands of this effect (pick dependencies). */
  readonly pickedBy: readonly number[];
  /** Selects that picked the address alone: later writes wait for them. */
  readonly addressPickedBy: readonly number[];
  /** Effects whose results the address or the operands need, and those the address needs. */
  readonly operandSources: readonly number[];
  readonly addressSources: readonly number[];
}

/** Effects of one thread by node. */
export interface ThreadEffects {
  readonly tree: ThreadTree;
  /** Null when the thread ends here. */
  at(node: number): EffectInfo | null;
  /**
   * The node after an answer. Where the thread's code throws on the way there, a number below
   * `HEAD_WAITS`: the thread comes to that only when everything before it has been done.
   */
  next(node: number, answer: Answer): number;
  /** `next` after an effect that has nothing to answer. */
  nextDone(node: number): number;
  /** What was thrown, for such a number. */
  failure(head: number): unknown;
  /** The steps from node to node asked for so far: from, to, from, to ... */
  readonly edges: readonly number[];
}

function operandsOf(effect: Effect): readonly Expr[] {
  const address = 'at' in effect ? [effect.at.address] : [];
  switch (effect.kind) {
    case 'store':
      return [...address, effect.data];
    case 'rmw':
      return [...address, ...effect.operands];
    case 'tlbi':
      return [effect.operand];
    case 'branch':
    case 'select':
      return [effect.condition];
    default:
      return address;
  }
}

function describe(effect: Effect): EffectInfo {
  const place = 'at' in effect ? effect.at : null;
  const isAccess =
    effect.kind === 'load' ||
    effect.kind === 'store' ||
    effect.kind === 'rmw' ||
    effect.kind === 'fetch';
  const reads = effect.kind === 'load' || effect.kind === 'rmw' || effect.kind === 'fetch';
  const writes = effect.kind === 'store' || effect.kind === 'rmw';
  const order = effect.kind === 'load' || effect.kind === 'store' ? effect.order : 'plain';
  const forWrite = effect.kind === 'load' && effect.translatesFor === 'write';
  const address = place?.address ?? null;
  return {
    effect,
    kind: KIND[effect.kind],
    reads,
    writes,
    translated: isAccess && place?.kind === 'virtual',
    acquire:
      order === 'acquire' ||
      order === 'acquire-pc' ||
      (effect.kind === 'rmw' && effect.acquire) ||
      effect.kind === 'lock',
    acquireRcsc: order === 'acquire' || (effect.kind === 'rmw' && effect.acquire),
    release: order === 'release' || (effect.kind === 'rmw' && effect.release),
    noReturn: effect.kind === 'rmw' && effect.noReturn,
    stops:
      ('wanted' in effect && effect.wanted) ||
      effect.kind === 'choose' ||
      effect.kind === 'alloc-page' ||
      effect.kind === 'branch' ||
      effect.kind === 'select',
    synchronises:
      effect.kind === 'isb' ||
      effect.kind === 'exception-entry' ||
      effect.kind === 'exception-return',
    place,
    constantAddress: address !== null && address.kind === 'const' ? address.value : null,
    data: effect.kind === 'store' ? effect.data : null,
    access: effect.kind === 'fetch' ? 'execute' : writes || forWrite ? 'write' : 'read',
    unprivileged: place?.kind === 'virtual' && place.unprivileged,
    tlbi: effect.kind === 'tlbi' ? tlbi(effect.op) : null,
    pickedBy: operandsOf(effect).flatMap((expr) => picks(expr)),
    addressPickedBy: address === null ? [] : picks(address),
    operandSources: operandsOf(effect).flatMap((expr) => sources(expr)),
    addressSources: address === null ? [] : sources(address),
  };
}

/** Remembers the effects of a thread. */
export function threadEffects(tree: ThreadTree, ids: IdTables): ThreadEffects {
  const infos: (EffectInfo | null | undefined)[] = [];
  const done: (number | undefined)[] = [];
  const failures: unknown[] = [];
  const edges: number[] = [];
  const goOn = ids.watched(
    ({ node, answer }: { readonly node: number; readonly answer: Answer }) => {
      try {
        const to = tree.next(node, answer);
        edges.push(node, to);
        return to;
      } catch (problem) {
        failures.push(problem);
        return HEAD_WAITS - failures.length;
      }
    },
  );
  const next = (node: number, answer: Answer): number =>
    goOn(`${node} ${answerKey(answer)}`, { node, answer });

  return {
    tree,
    at(node) {
      let info = infos[node];
      if (info === undefined) {
        const effect = tree.effectAt(node);
        info = effect === null ? null : describe(effect);
        infos[node] = info;
      }
      return info;
    },
    next,
    nextDone(node) {
      let to = done[node];
      if (to === undefined) {
        to = next(node, DONE);
        done[node] = to;
      }
      return to;
    },
    failure: (head) => failures[HEAD_WAITS - 1 - head],
    edges,
  };
}
