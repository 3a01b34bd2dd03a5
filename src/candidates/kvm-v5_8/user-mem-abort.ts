import { LEVELS } from '../../arm64/geometry.ts';
import { within } from '../../program/source-location.ts';
import type { Fault } from '../../program/effect.ts';
import type { FaultOutcome } from '../candidate.ts';
import { call, dmb, dsb, icIvau, isb, load, valueOf, type HostCode } from '../host-code.ts';
import { cleanDcacheGuestPage } from './dcache.ts';
import { flushIcacheAll } from './flush.ts';
import type { Kvm } from './kvm.ts';
import { lockMmu, unlockMmu } from './lock.ts';
import { breakBeforeMake, stage2SetPte, unmapThenRetry, type MapPlan } from './map.ts';
import { decode, entryAddress, entryBase, entryBytes, makeLeaf } from './pgtable.ts';
import { KVM_MMU_H, MMU_C } from './source-files.ts';
import { V5_8_UNMAP } from './unmap-v5_8.ts';

/** The map path of v5.8. */
export const V5_8_MAP: MapPlan = {
  replacePage: breakBeforeMake,
  skipEqual: true,
  tableInTheWay: unmapThenRetry(V5_8_UNMAP),
};

/** What a form of the fault path may do differently. */
export interface FaultPlan {
  readonly map: MapPlan;
  /** Whether the lock is taken around the installation. */
  readonly locked: boolean;
  /** Whether the page is cleaned to the PoC before it is mapped (without FWB). */
  readonly cleans: boolean;
}

/** `user_mem_abort` of v5.8. */
export const V5_8_FAULT: FaultPlan = { map: V5_8_MAP, locked: true, cleans: true };

/** `user_mem_abort` with the v5.8 plan. */
export function userMemAbort(kvm: Kvm, fault: Fault): HostCode<FaultOutcome> {
  return userMemAbortWith(kvm, V5_8_FAULT, fault);
}

/**
 * `user_mem_abort`: a vCPU touched an IPA that stage 2 does not map. The host finds its own page for
 * it outside of the lock, takes the lock, makes sure that no notifier ran in between, cleans the
 * page when the guest could see past the caches, and maps it.
 *
 * A world without the notifier's words has nothing to re-check, so there the page is looked up under
 * the lock, where it cannot be stale. Blocks are left to the block path; dirty logging is not modelled,
 * so every page is writable.
 */
export function* userMemAbortWith(kvm: Kvm, plan: FaultPlan, fault: Fault): HostCode<FaultOutcome> {
  const at = within(MMU_C, 'user_mem_abort');
  const ipa = entryBase(kvm, fault.address, 3);
  const cell = kvm.backing(ipa);
  if (cell === null) return 'no-page';
  const lookUp = load(cell, at(1902, 'gfn_to_pfn_prot()'));
  if (kvm.notifier === null) {
    if (plan.locked) yield* lockMmu(kvm, at(1932, 'spin_lock(mmu_lock)'));
    const page = valueOf(yield lookUp);
    if (page !== 0n) yield* install(kvm, plan, fault, ipa, page);
    if (plan.locked) yield* unlockMmu(kvm, at(2001, 'spin_unlock(mmu_lock)'));
    return page === 0n ? 'no-page' : 'retry';
  }
  const sequence = valueOf(yield load(kvm.notifier.sequence, at(1890, 'read mmu_notifier_seq')));
  yield dmb('ld', at(1900, 'smp_rmb()'));
  const page = valueOf(yield lookUp);
  if (page === 0n) return 'no-page';
  if (plan.locked) yield* lockMmu(kvm, at(1932, 'spin_lock(mmu_lock)'));
  if (!(yield* notifierRetry(kvm.notifier, sequence))) {
    yield* install(kvm, plan, fault, ipa, page);
  }
  if (plan.locked) yield* unlockMmu(kvm, at(2001, 'spin_unlock(mmu_lock)'));
  return 'retry';
}

/** `mmu_notifier_retry`: a notifier is running, or has run since the sequence was read. */
function* notifierRetry(
  notifier: NonNullable<Kvm['notifier']>,
  sequence: bigint,
): HostCode<boolean> {
  const at = within(MMU_C, 'user_mem_abort');
  const count = valueOf(yield load(notifier.count, at(1933, 'mmu_notifier_retry(): count')));
  if (count !== 0n) return true;
  const now = valueOf(yield load(notifier.sequence, at(1933, 'mmu_notifier_retry(): seq')));
  return now !== sequence;
}

/** Cache maintenance for a page the guest does not see yet, then the mapping. */
function* install(kvm: Kvm, plan: FaultPlan, fault: Fault, ipa: bigint, page: bigint): HostCode {
  const at = within(MMU_C, 'user_mem_abort');
  const bytes = entryBytes(kvm, 3);
  const device = kvm.isDevice(page);
  if (plan.cleans && fault.cause !== 'permission' && !device) {
    yield* call(at(1947, 'clean_dcache_guest_page()'), cleanDcacheGuestPage(kvm, page, bytes));
  }
  if (fault.access === 'execute') {
    yield* call(at(1950, 'invalidate_icache_guest_page()'), invalidateIcache(kvm, page));
  }
  // An execute fault has made the I-cache coherent; after a permission fault the right is kept.
  const execute =
    fault.access === 'execute' ||
    (fault.cause === 'permission' && (yield* call(at(1961, 'stage2_is_exec()'), isExec(kvm, ipa))));
  const value = makeLeaf(kvm.geometry, kvm.features, 3, page, {
    write: true,
    // PAGE_S2 maps executable at once where the I-cache never needs invalidation (PAGE_S2_XN).
    execute: !device && (execute || kvm.features.dic),
    device,
  });
  yield* call(at(1997, 'stage2_set_pte()'), stage2SetPte(kvm, plan.map, ipa, value));
}

/** `stage2_is_exec`: the leaf that maps the IPA, if any, permits execution. */
function* isExec(kvm: Kvm, ipa: bigint): HostCode<boolean> {
  const at = within(MMU_C, 'stage2_get_leaf_entry');
  let table = kvm.root;
  for (const level of LEVELS.filter((each) => each >= kvm.geometry.startLevel)) {
    const cell = entryAddress(kvm, table, ipa, level);
    const entry = decode(kvm, valueOf(yield load(cell, at(1303, 'read the entry'))), level);
    if (entry.kind === 'page' || entry.kind === 'block') return (entry.xn & 0b10) === 0;
    if (entry.kind !== 'table') return false;
    table = entry.next;
  }
  return false;
}

/** `__invalidate_icache_guest_page`: all of it where lines cannot be found by PA. */
function* invalidateIcache(kvm: Kvm, page: bigint): HostCode {
  const { icache, vhe, dic } = kvm.features;
  if (icache === 'vipt') {
    yield* flushIcacheAll(kvm);
  } else if (vhe || icache !== 'vpipt') {
    const at = within(KVM_MMU_H, '__invalidate_icache_guest_page');
    if (!dic) {
      yield icIvau(page, at(323, 'ic ivau'));
      yield dsb('full', 'ish', at(323, 'dsb(ish)'));
    }
    yield isb(at(323, 'isb()'));
  }
}
