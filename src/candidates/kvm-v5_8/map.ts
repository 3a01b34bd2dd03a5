import { within } from '../../program/source-location.ts';
import { call, load, pageOf, store, valueOf, type HostCode } from '../host-code.ts';
import { kvmTlbFlushVmidIpa } from './flush.ts';
import type { Kvm } from './kvm.ts';
import { stage2GetPmd, stage2GetPte } from './page-table.ts';
import { entryBase, entryBytes, isHuge, isPresent } from './pgtable.ts';
import { MMU_C } from './source-files.ts';
import type { UnmapPlan } from './unmap-plan.ts';
import { setEntry } from './unmap-steps.ts';
import { unmapStage2Range } from './unmap.ts';

/** What a form of the map path does at the points where forms differ. */
export interface MapPlan {
  /** A valid page entry is to be replaced by a different one: v5.8 clears it and flushes first. */
  readonly replacePage: (kvm: Kvm, pte: bigint, ipa: bigint, value: bigint) => HostCode;
  /** Whether nothing is done when the entry already has the value, as in v5.8. */
  readonly skipEqual: boolean;
  /** A table is in the place of a block: v5.8 unmaps the range below, then tries again. */
  readonly tableInTheWay: (kvm: Kvm, pmd: bigint, ipa: bigint) => HostCode<'retry' | 'go-on'>;
}

/** `stage2_set_pte`: maps one page. */
export function* stage2SetPte(kvm: Kvm, plan: MapPlan, ipa: bigint, value: bigint): HostCode {
  const at = within(MMU_C, 'stage2_set_pte');
  const pmd = yield* call(at(1361, 'find or make the tables'), stage2GetPmd(kvm, ipa));
  // With a level-1 block in the way v5.8 is only called while logging, which splits it first.
  if (pmd === null) throw new Error('a level-1 block covers the page to be mapped');
  const pte = yield* stage2GetPte(kvm, pmd, ipa);
  const old = valueOf(yield load(pte, at(1416, 'read *pte')));
  if (isPresent(old)) {
    if (old === value && plan.skipEqual) return;
    yield* plan.replacePage(kvm, pte, ipa, value);
    return;
  }
  yield* kvm.counts.get(pageOf(pte, kvm.geometry.granule), at(1425, 'get_page(pte table)'));
  yield* setEntry(pte, value, 3, at(1428, 'kvm_set_pte(pte, new)'));
}

/** Break before make, as v5.8: clear, flush, write. */
export function* breakBeforeMake(kvm: Kvm, pte: bigint, ipa: bigint, value: bigint): HostCode {
  const at = within(MMU_C, 'stage2_set_pte');
  yield* setEntry(pte, 0n, 3, at(1422, 'kvm_set_pte(pte, 0)'));
  yield* call(at(1423, 'kvm_tlb_flush_vmid_ipa(addr)'), kvmTlbFlushVmidIpa(kvm, ipa));
  yield* setEntry(pte, value, 3, at(1428, 'kvm_set_pte(pte, new)'));
}

/** The table below the block is emptied by the unmap path; the entry is then looked up again. */
export function unmapThenRetry(unmap: UnmapPlan): MapPlan['tableInTheWay'] {
  return function* (kvm, _pmd, ipa) {
    const start = entryBase(kvm, ipa, 2);
    yield* call(
      within(MMU_C, 'stage2_set_pmd_huge')(1221, 'unmap_stage2_range(block)'),
      unmapStage2Range(kvm, unmap, { start, end: start + entryBytes(kvm, 2) }),
    );
    return 'retry';
  };
}

/** `stage2_set_pmd_huge`: maps one level-2 block. */
export function* stage2SetPmdHuge(kvm: Kvm, plan: MapPlan, ipa: bigint, value: bigint): HostCode {
  const at = within(MMU_C, 'stage2_set_pmd_huge');
  for (;;) {
    const pmd = yield* call(at(1188, 'stage2_get_pmd()'), stage2GetPmd(kvm, ipa));
    if (pmd === null) throw new Error('a level-1 block covers the block to be mapped');
    const old = valueOf(yield load(pmd, at(1191, 'read *pmd')));
    if (old === value && plan.skipEqual) return;
    if (!isPresent(old)) {
      yield* kvm.counts.get(pageOf(pmd, kvm.geometry.granule), at(1239, 'get_page(pmd table)'));
    } else if (isHuge(old)) {
      yield store(pmd, 0n, at(1236, 'pmd_clear(pmd)'));
      yield* call(at(1237, 'kvm_tlb_flush_vmid_ipa(addr)'), kvmTlbFlushVmidIpa(kvm, ipa));
    } else if ((yield* plan.tableInTheWay(kvm, pmd, ipa)) === 'retry') {
      continue;
    }
    yield* setEntry(pmd, value, 2, at(1242, 'kvm_set_pmd(pmd, new)'));
    return;
  }
}
