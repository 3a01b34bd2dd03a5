import { within } from '../../program/source-location.ts';
import { call, type HostCode } from '../host-code.ts';
import type { Kvm } from '../kvm-v5_8/kvm.ts';
import {
  kvmTlbFlushVmidRange,
  SEED_RANGE_FLUSH,
  type RangeFlushForm,
} from '../kvm-v5_8/range-flush.ts';
import { MMU_C } from '../kvm-v5_8/source-files.ts';
import type { IpaRange, Leaf, PlanMaker, UnmapPlan } from '../kvm-v5_8/unmap-plan.ts';
import { clearLeaf, maintainLeaf, putLeaf } from '../kvm-v5_8/unmap-steps.ts';
import { V5_8_UNMAP } from '../kvm-v5_8/unmap-v5_8.ts';

/** One range flush, called from the function that a form puts it into. */
export function* flushRangeFrom(
  fn: string,
  kvm: Kvm,
  range: IpaRange,
  form: RangeFlushForm = SEED_RANGE_FLUSH,
): HostCode {
  yield* call(
    within(MMU_C, fn)(0, 'kvm_tlb_flush_vmid_range(start, end)'),
    kvmTlbFlushVmidRange(kvm, range, form),
  );
}

/**
 * Two passes with a given range flush: clear, flush once per top-level entry, then clean the pages
 * from a list. It is right with the seed's range flush, so whatever a different one breaks is the
 * fault of that difference alone.
 */
export function twoPassesWith(form: RangeFlushForm): UnmapPlan {
  let cleared: Leaf[] = [];
  return {
    ...V5_8_UNMAP,
    *leaf(kvm, leaf) {
      yield* clearLeaf(kvm, leaf);
      yield* putLeaf(kvm, leaf);
      cleared.push(leaf);
    },
    *endOfTopLevelEntry(kvm, part) {
      yield* flushRangeFrom('unmap_stage2_p4ds', kvm, part, form);
      const pending = cleared;
      cleared = [];
      for (const leaf of pending) yield* maintainLeaf(kvm, leaf);
    },
  };
}

/** The right deferral that other forms start from. */
export const SOUND_DEFERRAL: PlanMaker = () => twoPassesWith(SEED_RANGE_FLUSH);
