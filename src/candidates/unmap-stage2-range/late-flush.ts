import { refuted, type Candidate, type Expectation, type Refutation } from '../candidate.ts';
import { noEffect } from '../host-code.ts';
import type { UnmapPlan } from '../kvm-v5_8/unmap-plan.ts';
import type { Features } from '../../arm64/features.ts';
import { flushRangeFrom } from './deferred-forms.ts';
import { DEFERRED_RANGE_FLUSH, SEED_REFERENCE, STALE_LINE } from './deferred-range-flush.ts';
import { unmapCandidate } from './unmap-candidate.ts';

// The seed with its flush moved further out, past a point where somebody relies on it.
//
// In `kvm_unmap_hva_range` the notifier's count keeps faults out until the end callback, so there the
// first two forms do no harm; other callers of `unmap_stage2_range` have no such count
// (`stage2_unmap_vm`, memslot removal), and the function cannot know who called it.

/** The seed without its flush: the common part of these forms. */
const NO_FLUSH: UnmapPlan = {
  ...DEFERRED_RANGE_FLUSH,
  endOfTopLevelEntry: () => noEffect(undefined),
};

/** What the form breaks, and what it inherits from the seed. */
function asSeed(
  first: Refutation,
  ...others: readonly Refutation[]
): (features: Features) => Expectation {
  return ({ fwb }) => refuted(first, ...others, ...(fwb ? [] : [STALE_LINE]));
}

const UNDER_THE_LOCK =
  'Whoever takes the lock next sees an empty entry and concludes that no translation is live: a ' +
  'fault maps the address to another page beside the old translation. (A second unmap of the same ' +
  'form is not fooled, because the range flush runs whether it cleared something or not.)';

export const flushAfterLoop: Candidate = unmapCandidate({
  name: 'flush-after-loop',
  title: 'the seed, flush moved after the loop that may drop the lock',
  reference: SEED_REFERENCE,
  expected: asSeed({
    rule: 'P4',
    condition: 'a fault maps the address again while the lock is dropped',
    needs: ['lock-drop', 'kept-tables', 'fault-path'],
  }),
  why: `The lock is given away between two top-level entries. ${UNDER_THE_LOCK}`,
  plan: () => ({
    ...NO_FLUSH,
    endOfWalk: (kvm, range) => flushRangeFrom('unmap_stage2_range', kvm, range),
  }),
});

export const flushAfterUnlock: Candidate = unmapCandidate({
  name: 'flush-after-unlock',
  title: 'the seed, flush after the lock is released',
  reference: SEED_REFERENCE,
  expected: asSeed({
    rule: 'P4',
    condition: 'a fault maps the address again before the flush',
    needs: ['kept-tables', 'fault-path'],
  }),
  why: `The promise to the caller is kept, the one to the next holder of the lock is not. ${UNDER_THE_LOCK}`,
  plan: () => ({
    ...NO_FLUSH,
    afterUnlock: (kvm, range) =>
      flushRangeFrom('kvm_mmu_notifier_invalidate_range_start', kvm, range),
  }),
});

export const flushAtNotifierEnd: Candidate = unmapCandidate({
  name: 'flush-at-notifier-end',
  title: 'the seed, flush by the end callback of the MMU notifier',
  reference: SEED_REFERENCE,
  expected: asSeed(
    {
      rule: 'P1',
      condition: 'when a vCPU uses the page after the start callback has returned',
      needs: ['kept-tables'],
    },
    {
      rule: 'P2',
      condition: 'when the host gives the page away between the two callbacks',
      needs: ['kept-tables', 'page-reuse'],
    },
  ),
  why:
    'Between the callbacks the rest of the kernel takes the page away and frees it, so the start ' +
    'callback is the last moment at which a translation of it may exist.',
  plan: () => ({
    ...NO_FLUSH,
    atNotifierEnd: (kvm, range) =>
      flushRangeFrom('kvm_mmu_notifier_invalidate_range_end', kvm, range),
  }),
});
