import type { Rule } from './rule.ts';

/** P5 on the way in: the guest reads what the host has put into the page. */
export const contentsAfterMap: Rule = {
  id: 'contents-after-map',
  family: 'P5',
  statement:
    'A guest that is given a page reads what the host last stored to it, not something older.',
  why: "The host fills a page through a cacheable alias (swap-in, migration, zeroing) and maps it. A guest that reaches it past the caches reads memory at the point of coherency: without FWB, and without a clean before the mapping, it finds what lay there before, which may be another owner's data.",
  sources: [
    'Linux v5.8 arch/arm64/include/asm/kvm_mmu.h: __clean_dcache_guest_page and its comment on FWB',
    'Arm ARM B2.8: mismatched memory attributes, loss of coherency',
  ],
  check(fact) {
    if (fact.kind !== 'stale-read') return null;
    return `cpu${fact.pe} reads ${fact.value} from 0x${fact.pa.toString(16)}, where the host has put ${fact.lastStored}`;
  },
};
