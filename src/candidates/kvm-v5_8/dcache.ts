import { within } from '../../program/source-location.ts';
import { call, dcCivac, dsb, type HostCode } from '../host-code.ts';
import type { Kvm } from './kvm.ts';
import { entryBytes } from './pgtable.ts';
import { CACHE_S, KVM_MMU_H } from './source-files.ts';

/**
 * `kvm_flush_dcache_pte`, `_pmd`, `_pud`: makes sure that no cache holds a line of the page, so that
 * coherent readers see what the guest wrote past the caches. Nothing to do with FWB, which takes
 * away the guest's non-cacheable view.
 */
export function* kvmFlushDcache(kvm: Kvm, base: bigint, level: 1 | 2 | 3): HostCode {
  if (kvm.features.fwb) return;
  const { line, name } = FLUSH_DCACHE[level];
  yield* call(
    within(KVM_MMU_H, name)(line, 'clean and invalidate the page or block'),
    flushDcacheArea(kvm, base, entryBytes(kvm, level)),
  );
}

const FLUSH_DCACHE = {
  1: { name: '__kvm_flush_dcache_pud', line: 348 },
  2: { name: '__kvm_flush_dcache_pmd', line: 340 },
  3: { name: '__kvm_flush_dcache_pte', line: 332 },
} as const;

/** `__clean_dcache_guest_page`: the same, for a page that is about to be mapped. */
export function* cleanDcacheGuestPage(kvm: Kvm, base: bigint, bytes: bigint): HostCode {
  if (kvm.features.fwb) return;
  yield* call(
    within(KVM_MMU_H, '__clean_dcache_guest_page')(310, 'clean and invalidate the page'),
    flushDcacheArea(kvm, base, bytes),
  );
}

/** `__flush_dcache_area`: DC CIVAC over the watched lines of the area, then DSB SY. */
function* flushDcacheArea(kvm: Kvm, base: bigint, bytes: bigint): HostCode {
  const at = within(CACHE_S, '__flush_dcache_area');
  for (const line of kvm.watchedLines(base, bytes)) {
    yield dcCivac(line, at(109, 'dc civac'));
  }
  yield dsb('full', 'sy', at(109, 'dsb(sy)'));
}
