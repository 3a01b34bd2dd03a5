import { evaluate, type Expr } from '../program/expr.ts';
import type { BoundsNotes } from './bounds-met.ts';
import { KIND, type EffectInfo, type ThreadEffects } from './effect-info.ts';
import { picksResolved, translationPending } from './local-order.ts';
import type { MayCaches } from './may-cache.ts';
import type { Memory } from './memory.ts';
import {
  addFlags,
  append,
  AT,
  clearFlags,
  FLAG,
  flagsOf,
  get,
  HEAD_WAITS,
  indexOf,
  MARK_SHIFT,
  retireFirst,
  set,
  type Window,
} from './window.ts';

/**
 * What happens in a window without a choice: branches resolve, addresses become known, finished
 * instances retire, the next ones are fetched. It looks at nothing but the window.
 */
export interface SettleWindow {
  /** Does all of it. False when a guess turned out wrong: the run does not exist. */
  settle(w: Window, thread: ThreadEffects): boolean;
  /** Whether nothing is left to happen to an instance. */
  isDone(w: Window, i: number): boolean;
  /** Value of an expression of the thread, if its sources have answered. */
  evaluate(w: Window, expr: Expr): bigint | undefined;
  /** Result of the `seq`-th effect of the thread, if it has one by now. */
  result(w: Window, seq: number): bigint | undefined;
  /** Address of an access, if known. */
  address(w: Window, index: number): bigint | undefined;
}

/** Settling of windows that hold at most `bound` instances; `onFull` is told when one has no room. */
export function createSettleWindow(
  memory: Memory,
  tlbs: MayCaches,
  bound: number,
  onFull: BoundsNotes['full'],
): SettleWindow {
  function result(w: Window, seq: number): bigint | undefined {
    const i = indexOf(w, seq);
    if (i >= 0) return i < w.count ? resultAt(memory, w, i) : undefined;
    const kept = w.results[seq] as number;
    return kept < 0 ? undefined : memory.value(kept);
  }

  function evaluateIn(w: Window, expr: Expr): bigint | undefined {
    return expr.kind === 'const' ? expr.value : evaluate(expr, (seq) => result(w, seq));
  }

  function address(w: Window, index: number): bigint | undefined {
    const info = w.infos[index] as EffectInfo;
    if (info.constantAddress !== null) return info.constantAddress;
    return info.place === null ? undefined : evaluateIn(w, info.place.address);
  }

  function isDone(w: Window, i: number): boolean {
    const info = w.infos[i] as EffectInfo;
    const flags = flagsOf(w, i);
    if ((flags & FLAG.faulted) !== 0) return (flags & FLAG.faultDone) !== 0;
    if ((flags & FLAG.updatePending) !== 0) return false;
    switch (info.kind) {
      case KIND.load:
      case KIND.fetch:
        return (flags & FLAG.read) !== 0;
      case KIND.store:
        return (flags & (FLAG.written | FLAG.noWrite)) !== 0;
      case KIND.rmw:
        return (flags & FLAG.read) !== 0 && (flags & (FLAG.written | FLAG.noWrite)) !== 0;
      case KIND.dmb:
        return true;
      case KIND.tlbi:
        return (flags & FLAG.complete) !== 0;
      default:
        return (flags & FLAG.fired) !== 0;
    }
  }

  function resolveBranches(w: Window, thread: ThreadEffects): boolean {
    for (let i = 0; i < w.count; i += 1) {
      const info = w.infos[i] as EffectInfo;
      const { effect } = info;
      if (effect.kind !== 'branch' && effect.kind !== 'select') continue;
      const flags = flagsOf(w, i);
      if ((flags & FLAG.fired) !== 0) continue;
      const condition = evaluateIn(w, effect.condition);
      if (condition === undefined || !picksResolved(w, info)) continue;
      const taken = condition !== 0n;
      if ((flags & FLAG.guessed) === 0) {
        w.head = thread.next(get(w, i, AT.node), { kind: 'value', value: taken ? 1n : 0n });
        addFlags(w, i, FLAG.fired);
      } else if (((flags & FLAG.guessTaken) !== 0) === taken) addFlags(w, i, FLAG.fired);
      else return false;
    }
    return true;
  }

  function fetch(w: Window, thread: ThreadEffects): void {
    while (w.count < bound && w.head !== HEAD_WAITS) {
      const node = w.head;
      if (node < HEAD_WAITS) {
        // What is in flight may show a broken rule first.
        if (w.count === 0 || thread.tree.symbolic) throw thread.failure(node);
        return;
      }
      const info = thread.at(node);
      if (info === null) return;
      append(w, node, info);
      if (info.place !== null && (info.place.kind === 'physical' || !info.translated)) {
        const found = address(w, w.count - 1);
        if (found !== undefined) set(w, w.count - 1, AT.cell, memory.cellOf(found));
      }
      w.head = info.stops ? HEAD_WAITS : thread.nextDone(node);
    }
  }

  /** Whether there is something to fetch. What a generator throws comes only when the window is empty. */
  function goesOn({ head }: Window, thread: ThreadEffects): boolean {
    if (head === HEAD_WAITS) return false;
    return head < HEAD_WAITS ? thread.tree.symbolic : thread.at(head) !== null;
  }

  /** Physical addresses that have become known. */
  function locate(w: Window): void {
    for (let i = 0; i < w.count; i += 1) {
      const info = w.infos[i] as EffectInfo;
      if (info.place === null || info.translated || get(w, i, AT.cell) >= 0) continue;
      const found = address(w, i);
      if (found !== undefined) set(w, i, AT.cell, memory.cellOf(found));
    }
  }

  /**
   * Instances of a litmus thread stay in the window, but how one was translated matters only until it
   * is done and everything before it is translated: after that no invalidation can wait for it.
   */
  function forgetPaths(w: Window, keepsFaults: boolean): void {
    for (let i = 0; i < w.count && !translationPending(w, i); i += 1) {
      const translated = get(w, i, AT.result);
      if (translated < 0 || !isDone(w, i)) continue;
      const flags = flagsOf(w, i);
      const isKept = (flags & FLAG.faulted) !== 0 && keepsFaults;
      const left = isKept ? -1 : tlbs.withoutPath(translated);
      if (left === translated && flags >> MARK_SHIFT === 0) continue;
      set(w, i, AT.result, left);
      clearFlags(w, i, flags & ~((1 << MARK_SHIFT) - 1));
    }
  }

  function settle(w: Window, thread: ThreadEffects): boolean {
    const { symbolic, keepsFaults } = thread.tree;
    for (;;) {
      if (!resolveBranches(w, thread)) return false;
      if (symbolic) {
        locate(w);
        forgetPaths(w, keepsFaults === true);
      }
      const { count, head } = w;
      if (!symbolic) while (w.count > 0 && isDone(w, 0)) retireFirst(w);
      else if (w.count === bound && isDone(w, 0)) {
        const left = resultAt(memory, w, 0);
        w.results.push(left === undefined ? -1 : memory.valueId(left));
        retireFirst(w);
      }
      fetch(w, thread);
      if (w.count !== count || w.head !== head) continue;
      if (count === bound && goesOn(w, thread)) onFull(w, thread);
      return true;
    }
  }

  return { settle, isDone, evaluate: evaluateIn, result, address };
}

/** What an instance has answered: the value read, or the status of a store-exclusive. */
export function resultAt(memory: Memory, w: Window, i: number): bigint | undefined {
  const flags = flagsOf(w, i);
  const { effect } = w.infos[i] as EffectInfo;
  if (effect.kind === 'store') {
    if ((flags & FLAG.noWrite) !== 0) return 1n;
    return (flags & FLAG.written) !== 0 ? 0n : undefined;
  }
  return (flags & FLAG.read) === 0 ? undefined : memory.value(get(w, i, AT.value));
}
