import { LEVELS, type Level } from '../../arm64/geometry.ts';
import { constant } from '../../program/expr.ts';
import { within } from '../../program/source-location.ts';
import { load, valueOf, type HostCode } from '../host-code.ts';
import { condReschedLock } from './lock.ts';
import type { Kvm } from './kvm.ts';
import { addressEnd, decode, entryAddress, entryBase, entryBytes } from './pgtable.ts';
import { MMU_C } from './source-files.ts';
import type { IpaRange } from './unmap-plan.ts';

/** S2AP[1], the right to write: what `kvm_set_s2pte_readonly` takes away. */
const S2AP_WRITE = 1n << 7n;

/**
 * `stage2_wp_range`: makes every leaf of a range read-only. Unlike the unmap path it offers the lock
 * before each top-level entry, and it flushes nothing: that is its caller's part.
 */
export function* stage2WpRange(kvm: Kvm, range: IpaRange): HostCode {
  const at = within(MMU_C, 'stage2_wp_range');
  let address = range.start;
  while (address < range.end) {
    yield* condReschedLock(kvm, at(1618, 'cond_resched_lock(mmu_lock)'));
    const next = addressEnd(kvm, address, range.end, kvm.geometry.startLevel);
    for (const page of pagesIn(kvm, { start: address, end: next })) yield* protect(kvm, page);
    address = next;
  }
}

function pagesIn(kvm: Kvm, range: IpaRange): readonly bigint[] {
  const first = entryBase(kvm, range.start, 3);
  if (kvm.tracked !== null) {
    return kvm.tracked.filter((page) => page >= first && page < range.end);
  }
  const pages: bigint[] = [];
  for (let page = first; page < range.end; page += entryBytes(kvm, 3)) pages.push(page);
  return pages;
}

/** Takes the right to write from the leaf that maps a page; v5.8 walks level by level instead. */
function* protect(kvm: Kvm, page: bigint): HostCode {
  const at = within(MMU_C, 'stage2_wp_ptes');
  let table = kvm.root;
  for (const level of LEVELS.filter((each: Level) => each >= kvm.geometry.startLevel)) {
    const cell = entryAddress(kvm, table, page, level);
    const bits = valueOf(yield load(cell, at(1515, 'read the entry')));
    const entry = decode(kvm, bits, level);
    if (entry.kind === 'table') {
      table = entry.next;
      continue;
    }
    if ((entry.kind === 'page' || entry.kind === 'block') && entry.write) {
      // cmpxchg_relaxed in a loop; under the lock only a hardware update can make it fail.
      yield {
        kind: 'rmw',
        at: { kind: 'physical', address: constant(cell) },
        bytes: 8,
        update: (old) => old & ~S2AP_WRITE,
        operands: [],
        acquire: false,
        release: false,
        noReturn: false,
        wanted: false,
        location: at(1517, 'kvm_set_s2pte_readonly(pte)'),
      };
    }
    return;
  }
}
