import type { Effect, Fault, Place } from '../program/effect.ts';
import { evaluate, type Expr } from '../program/expr.ts';
import type { Instance, Pe } from './state.ts';
import { wordAddress } from './word.ts';

/** The value of an expression in a thread, or undefined while a result is missing. */
export function known(pe: Pe, expr: Expr): bigint | undefined {
  return evaluate(expr, (seq) => {
    const retired = pe.record.find((entry) => entry.seq === seq);
    if (retired !== undefined) {
      return retired.answer.kind === 'value' ? retired.answer.value : 0n;
    }
    const instance = pe.window.find((candidate) => candidate.seq === seq);
    return instance?.value ?? undefined;
  });
}

/** The place an effect accesses, or null. */
export function placeOf(effect: Effect): Place | null {
  switch (effect.kind) {
    case 'load':
    case 'store':
    case 'rmw':
    case 'fetch':
    case 'dc':
      return effect.at;
    case 'ic':
      return effect.op === 'ivau' ? effect.at : null;
    default:
      return null;
  }
}

/** What the place is accessed for. Cache maintenance by address needs read permission. */
export function accessOf(effect: Effect): Fault['access'] {
  switch (effect.kind) {
    case 'store':
    case 'rmw':
      return 'write';
    case 'load':
      return effect.translatesFor ?? 'read';
    case 'fetch':
      return 'execute';
    default:
      return 'read';
  }
}

/** Whether the effect has a T event: its address goes through the translation under test. */
export function isTranslated(effect: Effect): boolean {
  return placeOf(effect)?.kind === 'virtual';
}

/** Physical address and cacheability, once known. */
export function targetOf(
  pe: Pe,
  { effect, translation }: Instance,
): { readonly pa: bigint; readonly cacheable: boolean } | null {
  const place = placeOf(effect);
  if (place === null) return null;
  if (place.kind === 'physical') {
    const pa = known(pe, place.address);
    return pa === undefined ? null : { pa, cacheable: true };
  }
  return translation?.result.kind === 'ok' ? translation.result : null;
}

/** Whether the access faulted (its fault event may still be to come). */
export function hasFaulted({ translation }: Instance): boolean {
  return translation?.result.kind === 'fault';
}

/** Whether T of the instance has happened; at a physical place, whether the address is known. */
export function hasTranslated(pe: Pe, instance: Instance): boolean {
  const place = placeOf(instance.effect);
  if (place === null || instance.done) return true;
  return place.kind === 'virtual'
    ? instance.translation !== null
    : known(pe, place.address) !== undefined;
}

/** Explicit reads of memory. Taking a lock and allocating are acquires, hence reads. */
export function isRead({ effect }: Instance): boolean {
  return ['load', 'rmw', 'lock', 'alloc-page'].includes(effect.kind);
}

/** Explicit writes. Taking and dropping a lock, allocating (zeroes the page) and freeing write. */
export function isWrite({ effect }: Instance): boolean {
  return ['store', 'rmw', 'lock', 'unlock', 'alloc-page', 'free-page'].includes(effect.kind);
}

/** An explicit access that is neither performed nor ended in a fault. */
export function isPendingAccess(instance: Instance): boolean {
  return (isRead(instance) || isWrite(instance)) && !instance.done && !hasFaulted(instance);
}

/** Context synchronisation events. */
export function isSynchronisation({ effect }: Instance): boolean {
  return ['isb', 'exception-entry', 'exception-return'].includes(effect.kind);
}

/** Later accesses wait for it: load-acquire, acquire atomics, locks, allocation. */
export function isAcquire({ effect }: Instance): boolean {
  switch (effect.kind) {
    case 'load':
      return effect.order === 'acquire' || effect.order === 'acquire-pc';
    case 'rmw':
      return effect.acquire;
    default:
      return effect.kind === 'lock' || effect.kind === 'alloc-page';
  }
}

/** It waits for all earlier accesses: store-release, release atomics, unlock, free. */
export function isRelease({ effect }: Instance): boolean {
  switch (effect.kind) {
    case 'store':
      return effect.order === 'release';
    case 'rmw':
      return effect.release;
    default:
      return effect.kind === 'unlock' || effect.kind === 'free-page';
  }
}

/** Whether both instances are known to access the same word (or line: they are the same here). */
export function sameWord(pe: Pe, a: Instance, b: Instance): boolean {
  const x = targetOf(pe, a);
  const y = targetOf(pe, b);
  return x !== null && y !== null && wordAddress(x.pa) === wordAddress(y.pa);
}
