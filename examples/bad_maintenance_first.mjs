import {
  clearLeaf,
  flushLeaf,
  maintainLeaf,
  putLeaf,
  refuted,
  unmapCandidate,
  V5_8_UNMAP,
} from 'tlbgate';

/** The same steps with the cache maintenance before the flush: the mistake of the 2020 patch. */
export const maintenanceFirst = unmapCandidate({
  name: 'maintenance-first',
  title: 'clear, cache maintenance, flush, count',
  reference: [],
  why: 'The page is cleaned while a stale translation may still be used.',
  expected: ({ fwb }) =>
    fwb
      ? { verdict: 'holds' }
      : refuted({ rule: 'P5', condition: 'without FWB', needs: ['non-cacheable-guest'] }),
  plan: () => ({
    ...V5_8_UNMAP,
    *leaf(kvm, leaf) {
      yield* clearLeaf(kvm, leaf);
      yield* maintainLeaf(kvm, leaf); // before the flush
      yield* flushLeaf(kvm, leaf);
      yield* putLeaf(kvm, leaf);
    },
  }),
});
