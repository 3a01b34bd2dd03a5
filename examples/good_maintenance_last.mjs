import {
  clearLeaf,
  flushLeaf,
  HOLDS,
  maintainLeaf,
  putLeaf,
  unmapCandidate,
  V5_8_UNMAP,
} from 'tlbgate';

/** An idea: give the entry back before the cache maintenance, which comes last. */
export const maintenanceLast = unmapCandidate({
  name: 'maintenance-last',
  title: 'clear, flush, count, then the cache maintenance',
  reference: [],
  why: 'The maintenance still comes after the flush.',
  expected: () => HOLDS,
  plan: () => ({
    ...V5_8_UNMAP,
    *leaf(kvm, leaf) {
      yield* clearLeaf(kvm, leaf);
      yield* flushLeaf(kvm, leaf);
      yield* putLeaf(kvm, leaf);
      yield* maintainLeaf(kvm, leaf);
    },
  }),
});
