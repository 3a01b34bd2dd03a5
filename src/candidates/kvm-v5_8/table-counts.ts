import { atomic, load, noEffect, store, valueOf, type HostCode } from '../host-code.ts';
import type { TableCounts } from './kvm.ts';

/**
 * Counts kept in the thread: for scenarios in which one thread alone changes the tables. It leaves
 * out the ordering that the atomic operations of `put_page` would add, so it allows more.
 */
export function privateCounts(initial: ReadonlyMap<bigint, number>): TableCounts {
  const counts = new Map(initial);
  const add = (page: bigint, by: number): HostCode => {
    const count = counts.get(page);
    if (count === undefined) throw new Error(`no table page at 0x${page.toString(16)}`);
    counts.set(page, count + by);
    return noEffect(undefined);
  };
  return {
    fresh: (page) => {
      counts.set(page, 1);
      return noEffect(undefined);
    },
    get: (page) => add(page, 1),
    put: (page) => add(page, -1),
    isEmpty: (page) => noEffect(counts.get(page) === 1),
  };
}

/**
 * Counts in memory (`struct page`), for scenarios with several host threads. As in v5.8 taking a
 * reference is a relaxed atomic, dropping one is fully ordered, looking is a plain load.
 */
export function sharedCounts(cellOf: (page: bigint) => bigint): TableCounts {
  return {
    *fresh(page, location) {
      yield store(cellOf(page), 1n, location);
    },
    *get(page, location) {
      yield atomic(cellOf(page), (old) => old + 1n, false, location);
    },
    *put(page, location) {
      yield atomic(cellOf(page), (old) => old - 1n, true, location);
    },
    *isEmpty(page, location) {
      return valueOf(yield load(cellOf(page), location)) === 1n;
    },
  };
}
