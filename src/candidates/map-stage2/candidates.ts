import { within } from '../../program/source-location.ts';
import { HOLDS, refuted, type Candidate, type Expectation } from '../candidate.ts';
import { withHardware } from '../hardware.ts';
import { call, load, store, valueOf, type HostCode } from '../host-code.ts';
import { cleanDcacheGuestPage } from '../kvm-v5_8/dcache.ts';
import { kvmTlbFlushVmidIpa } from '../kvm-v5_8/flush.ts';
import type { Kvm } from '../kvm-v5_8/kvm.ts';
import { lockMmu, unlockMmu } from '../kvm-v5_8/lock.ts';
import { stage2SetPte, type MapPlan } from '../kvm-v5_8/map.ts';
import { entryBytes, makeLeaf } from '../kvm-v5_8/pgtable.ts';
import { KERNEL, KVM_MAIN_C, MMU_C } from '../kvm-v5_8/source-files.ts';
import { setEntry } from '../kvm-v5_8/unmap-steps.ts';
import { userMemAbort, V5_8_MAP } from '../kvm-v5_8/user-mem-abort.ts';
import { announceBegin, announceReturn, useAfterwards, type Request } from '../operation.ts';

/**
 * `kvm_set_spte_hva` by way of the notifier's change_pte: the host has replaced a page (KSM does) and
 * moves the guest's mapping to the new one while the guest runs.
 */
function* remap(kvm: Kvm, plan: MapPlan, request: Request): HostCode {
  const at = within(KVM_MAIN_C, 'kvm_mmu_notifier_change_pte');
  const name = 'stage2_set_pte';
  const [page] = request.pages;
  if (page === undefined || request.newBacking === null) {
    throw new Error('a remap needs a page and the page that takes its place');
  }
  const value = makeLeaf(kvm.geometry, kvm.features, 3, request.newBacking, {
    write: false,
    execute: kvm.features.dic,
    device: false,
  });
  yield* announceBegin(kvm, name);
  yield* lockMmu(kvm, at(406, 'spin_lock(mmu_lock)'));
  if (kvm.notifier !== null) {
    const { sequence } = kvm.notifier;
    const old = valueOf(yield load(sequence, at(407, 'read mmu_notifier_seq')));
    yield store(sequence, old + 1n, at(407, 'mmu_notifier_seq++'));
  }
  yield* call(
    within(MMU_C, 'kvm_set_spte_hva')(2247, 'clean_dcache_guest_page()'),
    cleanDcacheGuestPage(kvm, request.newBacking, entryBytes(kvm, 3)),
  );
  yield* call(
    within(MMU_C, 'kvm_set_spte_handler')(2227, 'stage2_set_pte()'),
    stage2SetPte(kvm, plan, page.ipa, value),
  );
  yield* unlockMmu(kvm, at(412, 'spin_unlock(mmu_lock)'));
  const done = { ...request, pages: [page] };
  yield* announceReturn(kvm, name, done);
  yield* useAfterwards(done);
}

function mapCandidate(form: {
  readonly name: string;
  readonly title: string;
  readonly reference: readonly string[];
  readonly expected: Expectation;
  readonly why: string;
  readonly plan: MapPlan;
}): Candidate {
  return {
    id: `map-stage2/${form.name}`,
    title: form.title,
    mirrors: [
      { kernel: KERNEL, file: MMU_C, function: 'stage2_set_pte' },
      { kernel: KERNEL, file: MMU_C, function: 'kvm_set_spte_handler' },
    ],
    reference: form.reference,
    expected: (features) =>
      withHardware(form.expected, features, { repeats: false, freesTables: false }),
    why: form.why,
    operation: 'remap',
    host: (kvm, request) => remap(kvm, form.plan, request),
    fault: userMemAbort,
  };
}

export const breakBeforeMakeMap: Candidate = mapCandidate({
  name: 'break-before-make',
  title: 'v5.8: a valid page entry is cleared and flushed before it gets a new value',
  reference: ['d4b9e0790aa764c0b01e18d4e8d33e93ba36d51f'],
  expected: HOLDS,
  why: 'When the new value is written no PE can hold the old one (R_WHZWS, R_DDMVT).',
  plan: V5_8_MAP,
});

export const makeBeforeBreakMap: Candidate = mapCandidate({
  name: 'make-before-break',
  title: 'the new value is written over the old one, then the flush',
  reference: ['d4b9e0790aa764c0b01e18d4e8d33e93ba36d51f (what it fixed)'],
  expected: refuted({
    rule: 'P4',
    condition: 'when a PE holds the old entry and walks again',
    needs: [],
  }),
  why:
    'Until the flush two entries with different output addresses can be live for one IPA; a change ' +
    'of output address needs break-before-make (R_WHZWS).',
  plan: {
    ...V5_8_MAP,
    *replacePage(kvm, pte, ipa, value) {
      const at = within(MMU_C, 'stage2_set_pte');
      yield* setEntry(pte, value, 3, at(1428, 'kvm_set_pte(pte, new) over the old value'));
      yield* call(at(1423, 'kvm_tlb_flush_vmid_ipa(addr)'), kvmTlbFlushVmidIpa(kvm, ipa));
    },
  },
});
