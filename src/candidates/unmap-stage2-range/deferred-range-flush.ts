import { within, type SourceLocation } from '../../program/source-location.ts';
import { HOLDS, refuted, type Candidate, type Refutation } from '../candidate.ts';
import { call, relocate } from '../host-code.ts';
import { kvmTlbFlushVmidRange } from '../kvm-v5_8/range-flush.ts';
import { MMU_C, TLB_C } from '../kvm-v5_8/source-files.ts';
import type { UnmapPlan } from '../kvm-v5_8/unmap-plan.ts';
import { clearLeaf, maintainLeaf, putLeaf } from '../kvm-v5_8/unmap-steps.ts';
import { unmapOperation } from '../operation.ts';
import { V5_8_UNMAP } from '../kvm-v5_8/unmap-v5_8.ts';
import { unmapCandidate } from './unmap-candidate.ts';

/** The seed's plan: no flush at a leaf, one range flush for the part of each top-level entry. */
export const DEFERRED_RANGE_FLUSH: UnmapPlan = {
  ...V5_8_UNMAP,
  *leaf(kvm, leaf) {
    yield* clearLeaf(kvm, leaf);
    yield* maintainLeaf(kvm, leaf);
    yield* putLeaf(kvm, leaf);
  },
  *endOfTopLevelEntry(kvm, part) {
    yield* call(
      within(MMU_C, 'unmap_stage2_p4ds')(PATCHED_CALL, 'kvm_tlb_flush_vmid_range(start, end)'),
      kvmTlbFlushVmidRange(kvm, part),
    );
  },
};

/** How every form fails that cleans a page before its TLBI, when FWB is absent. */
export const STALE_LINE: Refutation = {
  rule: 'P5',
  condition: 'without FWB, when the guest reaches the page past the caches',
  needs: ['non-cacheable-guest'],
};

/** Message-ids of the seed patch. */
export const SEED_REFERENCE: readonly string[] = [
  '20200709134731.2384-1-yezhenyu2@huawei.com',
  '20200724134315.805-1-yezhenyu2@huawei.com',
];

/** The patch under judgement. */
export const deferredRangeFlush: Candidate = {
  ...unmapCandidate({
    name: 'deferred-range-flush',
    title: 'the 2020 patch: one range flush per top-level entry, after the cache maintenance',
    reference: SEED_REFERENCE,
    expected: ({ fwb }) => (fwb ? HOLDS : refuted(STALE_LINE)),
    why:
      'The range flush completes before the return and before the lock can be dropped, so no access ' +
      'outlives the operation. But the clean+invalidate of a page now comes before its TLBI: a ' +
      'speculative read can fill the line again, a non-cacheable guest store through the entry that ' +
      'is still live then goes past it, and the host reads the stale line. With FWB the guest has no ' +
      'such view and the maintenance is a no-op.',
    plan: () => DEFERRED_RANGE_FLUSH,
  }),
  host: (kvm, request) =>
    relocate(
      unmapOperation(kvm, () => DEFERRED_RANGE_FLUSH, request),
      patchedLocation,
    ),
};

/** Line of the new call in the patched mmu.c. */
const PATCHED_CALL = 359;

/** Functions that exist only in the patched files, whose lines are right already. */
const NEW_FUNCTIONS: ReadonlySet<string> = new Set([
  'kvm_tlb_flush_vmid_range',
  '__kvm_tlb_flush_vmid_range',
]);

/**
 * The line after the patch of a line before it, from its hunks: six lines added at 66 of mmu.c, the
 * calls at 270, 298 and 327 removed, two lines added after 354; 36 lines added after 190 of tlb.c.
 */
export function patchedLocation(location: SourceLocation): SourceLocation {
  let patched = PATCHED.get(location);
  if (patched === undefined) {
    patched = patch(location);
    PATCHED.set(location, patched);
  }
  return patched;
}

const PATCHED = new WeakMap<SourceLocation, SourceLocation>();

function patch(location: SourceLocation): SourceLocation {
  const moved =
    location.caller === undefined
      ? location
      : { ...location, caller: patchedLocation(location.caller) };
  if (NEW_FUNCTIONS.has(location.function) || location.line === PATCHED_CALL) return moved;
  return { ...moved, line: patchedLine(location.file, location.line) };
}

function patchedLine(file: string, line: number): number {
  if (file === TLB_C) return line > 190 ? line + 36 : line;
  if (file !== MMU_C || line <= 65) return line;
  const removed = [270, 298, 327].filter((gone) => gone < line).length;
  return line + 6 - removed + (line > 354 ? 2 : 0);
}
