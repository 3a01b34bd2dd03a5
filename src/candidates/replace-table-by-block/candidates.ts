import { within } from '../../program/source-location.ts';
import { HOLDS, refuted, type Candidate, type Expectation } from '../candidate.ts';
import { withHardware } from '../hardware.ts';
import { call, relocate, store, type HostCode } from '../host-code.ts';
import { cleanDcacheGuestPage } from '../kvm-v5_8/dcache.ts';
import { kvmTlbFlushVmidIpa } from '../kvm-v5_8/flush.ts';
import type { Kvm } from '../kvm-v5_8/kvm.ts';
import { lockMmu, unlockMmu } from '../kvm-v5_8/lock.ts';
import { stage2SetHuge, unmapThenRetry, type MapPlan } from '../kvm-v5_8/map.ts';
import { entryBase, entryBytes, makeLeaf } from '../kvm-v5_8/pgtable.ts';
import { KERNEL, MMU_C } from '../kvm-v5_8/source-files.ts';
import type { PlanMaker } from '../kvm-v5_8/unmap-plan.ts';
import { V5_8_UNMAP } from '../kvm-v5_8/unmap-v5_8.ts';
import { userMemAbort, V5_8_MAP } from '../kvm-v5_8/user-mem-abort.ts';
import { announceBegin, announceReturn, type Request } from '../operation.ts';
import {
  DEFERRED_RANGE_FLUSH,
  patchedLocation,
  SEED_REFERENCE,
} from '../unmap-stage2-range/deferred-range-flush.ts';

/**
 * The end of `user_mem_abort` for a fault on a page that the host has in a huge page: dirty logging
 * was on and is off again, so the block is mapped by pages and the fault path puts a block in their
 * place. This is the workload of the seed. The pages stay where they are, so nothing is reused.
 */
function* mapBlock(kvm: Kvm, plan: MapPlan, request: Request): HostCode {
  const at = within(MMU_C, 'user_mem_abort');
  const level = request.blockLevel ?? 2;
  const name = level === 2 ? 'stage2_set_pmd_huge' : 'stage2_set_pud_huge';
  const [page] = request.pages;
  if (page === undefined) throw new Error('a block needs a page in it');
  const bytes = entryBytes(kvm, level);
  const output = page.page & ~(bytes - 1n);
  const value = makeLeaf(kvm.geometry, kvm.features, level, output, {
    write: true,
    execute: kvm.features.dic,
    device: false,
  });
  yield* announceBegin(kvm, name);
  yield* lockMmu(kvm, at(1932, 'spin_lock(mmu_lock)'));
  yield* call(at(1947, 'clean_dcache_guest_page()'), cleanDcacheGuestPage(kvm, output, bytes));
  yield* call(
    at(level === 2 ? 1985 : 1973, `${name}()`),
    stage2SetHuge(kvm, plan, entryBase(kvm, page.ipa, level), value, level),
  );
  yield* unlockMmu(kvm, at(2001, 'spin_unlock(mmu_lock)'));
  yield* announceReturn(kvm, name, request);
}

function blockCandidate(form: {
  readonly name: string;
  readonly title: string;
  readonly reference: readonly string[];
  readonly expected: Expectation;
  readonly why: string;
  readonly tableInTheWay: MapPlan['tableInTheWay'];
}): Candidate {
  return {
    id: `replace-table-by-block/${form.name}`,
    title: form.title,
    mirrors: [
      { kernel: KERNEL, file: MMU_C, function: 'stage2_set_pmd_huge' },
      { kernel: KERNEL, file: MMU_C, function: 'user_mem_abort' },
      { kernel: KERNEL, file: MMU_C, function: 'unmap_stage2_range' },
    ],
    reference: form.reference,
    expected: (features) =>
      // The block, and so the range, begins where the freed table begins.
      withHardware(form.expected, features, { repeats: false, freesTables: false }),
    why: form.why,
    operation: 'block',
    host: (kvm, request) =>
      mapBlock(kvm, { ...V5_8_MAP, tableInTheWay: form.tableInTheWay }, request),
    fault: userMemAbort,
  };
}

/** A plan made anew for each use, so that its private state starts empty. */
function unmapWith(plan: PlanMaker): MapPlan['tableInTheWay'] {
  return (kvm, entry, ipa, level) => unmapThenRetry(plan())(kvm, entry, ipa, level);
}

export const unmapThenMapBlock: Candidate = blockCandidate({
  name: 'unmap-then-map',
  title: 'v5.8: the pages below are unmapped, their table freed, then the block is mapped',
  reference: ['3c3736cd32bf'],
  expected: HOLDS,
  why: 'When the block is written the table is gone and no PE holds one of its leaves.',
  tableInTheWay: unmapWith(() => V5_8_UNMAP),
});

const deferredBlock: Candidate = blockCandidate({
  name: 'deferred-unmap-then-map',
  title: 'the same with the unmap path of the seed',
  reference: SEED_REFERENCE,
  expected: HOLDS,
  why:
    'The range flush completes before unmap_stage2_range returns, so break-before-make holds on this ' +
    'path at every level of FEAT_BBM (row 19). The stale line of the seed is not looked for here: ' +
    'the host does not read the pages, it maps them again.',
  tableInTheWay: unmapWith(() => DEFERRED_RANGE_FLUSH),
});

/** With the lines of the patched files. */
export const deferredUnmapThenMapBlock: Candidate = {
  ...deferredBlock,
  host: (kvm, request) => relocate(deferredBlock.host(kvm, request), patchedLocation),
};

export const directBlock: Candidate = blockCandidate({
  name: 'direct',
  title: 'the table entry is cleared, one IPA flushed, and the block written in its place',
  reference: ['3c3736cd32bf (what it fixed)'],
  expected: refuted({
    rule: 'P4',
    condition: 'when a PE holds the leaf of a page other than the flushed one',
    needs: ['pages-of-a-block', 'adjacent-pages'],
  }),
  why:
    'One IPA removes the cached table descriptor and the leaf for that IPA; the other leaves of the ' +
    'table stay, and the block is then a second translation of another size beside them.',
  *tableInTheWay(kvm, pmd, ipa) {
    const at = within(MMU_C, 'stage2_set_pmd_huge');
    yield store(pmd, 0n, at(1236, 'pmd_clear(pmd) of a table'));
    yield* call(at(1237, 'kvm_tlb_flush_vmid_ipa(addr)'), kvmTlbFlushVmidIpa(kvm, ipa));
    return 'go-on';
  },
});
