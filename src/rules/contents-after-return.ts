import type { Rule } from './rule.ts';

/** P5: the host reads what the guest wrote. */
export const contentsAfterReturn: Rule = {
  id: 'contents-after-return',
  family: 'P5',
  statement:
    'After the operation has returned, a cacheable read by the host returns the last value stored to the page.',
  why: "The host writes the page to swap, copies it to the migration target or compares it for merging. If a clean line that was filled before the last guest store is what it reads, the guest's data is lost and nobody notices. It happens where the guest writes past the cache (MMU off, non-cacheable mapping), the hardware lacks FWB, and the line is cleaned and invalidated before the guest has lost access.",
  sources: [
    'Linux v5.8 arch/arm64/kvm/mmu.c, comment above unmap_stage2_ptes: maintenance after the invalidation',
    'Linux 363ef89f8e9b: invalidate the data cache on unmap',
    'Arm ARM B2.8: mismatched memory attributes, loss of coherency',
  ],
  check(fact) {
    if (fact.kind !== 'content-read' || fact.value === fact.lastStored) return null;
    return `the host reads ${fact.value} from 0x${fact.pa.toString(16)}, but ${fact.lastStored} was stored last`;
  },
};
