import { HOLDS, refuted, type Candidate } from '../candidate.ts';
import type { Leaf, PlanMaker, UnmapPlan } from '../kvm-v5_8/unmap-plan.ts';
import {
  clearLeaf,
  leafLocation,
  maintainLeaf,
  putLeaf,
  setEntry,
} from '../kvm-v5_8/unmap-steps.ts';
import { V5_8_UNMAP } from '../kvm-v5_8/unmap-v5_8.ts';
import { unmapStage2P4ds } from '../kvm-v5_8/unmap.ts';
import { flushRangeFrom, SOUND_DEFERRAL } from './deferred-forms.ts';
import { DEFERRED_RANGE_FLUSH, SEED_REFERENCE } from './deferred-range-flush.ts';
import { unmapCandidate } from './unmap-candidate.ts';

// Forms that defer the flush and are right.

/** The seed where FWB makes the cache maintenance a no-op, v5.8 elsewhere. */
const GATED: UnmapPlan = {
  ...V5_8_UNMAP,
  leaf: (kvm, leaf) => (kvm.features.fwb ? DEFERRED_RANGE_FLUSH : V5_8_UNMAP).leaf(kvm, leaf),
  endOfTopLevelEntry: (kvm, part) =>
    (kvm.features.fwb ? DEFERRED_RANGE_FLUSH : V5_8_UNMAP).endOfTopLevelEntry(kvm, part),
};

export const gatedOnFwb: Candidate = unmapCandidate({
  name: 'gated-on-fwb',
  title: 'the seed, only where FWB is in use',
  reference: SEED_REFERENCE,
  expected: () => HOLDS,
  why:
    'With FWB every guest access to RAM is cacheable, the maintenance does nothing, and the order ' +
    'that the seed breaks has no effect; without FWB it is v5.8. The mainline form of 2023 has the ' +
    'same gate (and range TLBI).',
  plan: () => GATED,
});

export const twoPasses: Candidate = unmapCandidate({
  name: 'two-passes',
  title: 'clear all, one flush, then the cache maintenance from a list',
  reference: SEED_REFERENCE,
  expected: () => HOLDS,
  why:
    'The maintenance runs after the TLBI has completed, as in v5.8: every guest store through a ' +
    'removed entry is in memory by then, and a line that is filled later holds it.',
  plan: SOUND_DEFERRAL,
});

/** First walk: only the valid bit goes. Second walk, after the flush: maintenance, zero, dissolve. */
const KEEP_PFN: UnmapPlan = {
  ...V5_8_UNMAP,
  leaf: (kvm, leaf) => clearLeaf(kvm, leaf, leaf.bits & ~1n),
  *endOfTopLevelEntry(kvm, part) {
    yield* flushRangeFrom('unmap_stage2_p4ds', kvm, part);
    yield* unmapStage2P4ds(kvm, SECOND_WALK, part.start, part.end);
  },
};

const SECOND_WALK: UnmapPlan = {
  ...V5_8_UNMAP,
  *leaf(kvm, leaf) {
    yield* maintainLeaf(kvm, leaf);
    yield* setEntry(leaf.cell, 0n, leaf.level, leafLocation(leaf, 'clear', 'entry := 0'));
    yield* putLeaf(kvm, leaf);
  },
};

export const keepPfnSecondWalk: Candidate = unmapCandidate({
  name: 'keep-pfn-second-walk',
  title: 'clear only the valid bit, one flush, then the cache maintenance in a second walk',
  reference: SEED_REFERENCE,
  expected: () => HOLDS,
  why:
    'As two passes, with the list kept in the tables: an invalid descriptor may hold anything in ' +
    'its other bits, and no PE caches it (R_XCLRD). Tables are dissolved in the second walk only.',
  plan: () => KEEP_PFN,
});

/** A deferral whose walk may give up after a leaf; `onFailure` decides what then happens. */
function failing(flushesOnFailure: boolean): PlanMaker {
  return () => {
    const plan = SOUND_DEFERRAL();
    return {
      ...plan,
      *fails() {
        const answer = yield {
          kind: 'choose',
          options: 2,
          location: leafLocation(ANY_PAGE, 'put', 'the walk may report an error'),
        };
        return answer.kind === 'value' && answer.value === 1n;
      },
      *onFailure(kvm, range) {
        if (flushesOnFailure) yield* plan.endOfTopLevelEntry(kvm, range);
      },
    };
  };
}

const ANY_PAGE: Leaf = { cell: 0n, bits: 0n, address: 0n, level: 3 };

export const errorExitWithoutFlush: Candidate = unmapCandidate({
  name: 'error-exit-without-flush',
  title: 'returns early when the walk reports an error, without the flush',
  reference: SEED_REFERENCE,
  expected: () =>
    refuted({
      rule: 'P1',
      condition: 'when the walk gives up after a leaf',
      needs: ['kept-tables'],
    }),
  why:
    'The entries that were cleared before the error are in nobody else’s list: the operation returns ' +
    'while their translations are live.',
  plan: failing(false),
});

export const errorExitWithFlush: Candidate = unmapCandidate({
  name: 'error-exit-with-flush',
  title: 'returns early when the walk reports an error, after the flush',
  reference: SEED_REFERENCE,
  expected: () => HOLDS,
  why: 'The good twin: what is pending is flushed on every way out.',
  plan: failing(true),
});
