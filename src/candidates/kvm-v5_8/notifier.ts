import { within } from '../../program/source-location.ts';
import { call, dmb, load, store, valueOf, type HostCode } from '../host-code.ts';
import type { Kvm } from './kvm.ts';
import { lockMmu, unlockMmu } from './lock.ts';
import { KVM_MAIN_C, MMU_C } from './source-files.ts';
import type { IpaRange, UnmapPlan } from './unmap-plan.ts';
import { unmapStage2Range, type UnmapOutcome } from './unmap.ts';

/**
 * `kvm_mmu_notifier_invalidate_range_start`: the host is about to take pages away. When it returns,
 * the pages may be freed at once.
 */
export function* invalidateRangeStart(
  kvm: Kvm,
  plan: UnmapPlan,
  range: IpaRange,
): HostCode<UnmapOutcome> {
  const at = within(KVM_MAIN_C, 'kvm_mmu_notifier_invalidate_range_start');
  yield* lockMmu(kvm, at(423, 'spin_lock(mmu_lock)'));
  if (kvm.notifier !== null) {
    const count = valueOf(yield load(kvm.notifier.count, at(429, 'read mmu_notifier_count')));
    yield store(kvm.notifier.count, count + 1n, at(429, 'mmu_notifier_count++'));
  }
  const outcome = yield* call(
    within(MMU_C, 'kvm_unmap_hva_handler')(2200, 'unmap_stage2_range'),
    unmapStage2Range(kvm, plan, range),
  );
  yield* unlockMmu(kvm, at(436, 'spin_unlock(mmu_lock)'));
  yield* plan.afterUnlock(kvm, range);
  return outcome;
}

/** `kvm_mmu_notifier_invalidate_range_end`: the pages are gone; faults may look them up again. */
export function* invalidateRangeEnd(kvm: Kvm, plan: UnmapPlan, range: IpaRange): HostCode {
  yield* plan.atNotifierEnd(kvm, range);
  if (kvm.notifier === null) return;
  const at = within(KVM_MAIN_C, 'kvm_mmu_notifier_invalidate_range_end');
  yield* lockMmu(kvm, at(447, 'spin_lock(mmu_lock)'));
  const sequence = valueOf(yield load(kvm.notifier.sequence, at(453, 'read mmu_notifier_seq')));
  yield store(kvm.notifier.sequence, sequence + 1n, at(453, 'mmu_notifier_seq++'));
  yield dmb('st', at(454, 'smp_wmb()'));
  const count = valueOf(yield load(kvm.notifier.count, at(460, 'read mmu_notifier_count')));
  yield store(kvm.notifier.count, count - 1n, at(460, 'mmu_notifier_count--'));
  yield* unlockMmu(kvm, at(461, 'spin_unlock(mmu_lock)'));
}
