import type { Rule } from './rule.ts';

/** P3 on the side of software: page lifetime of tables. */
export const noUseOfFreedTable: Rule = {
  id: 'no-use-of-freed-table',
  family: 'P3',
  statement: 'The host reads and writes no table page after it has been freed.',
  why: 'A walker of the host that still holds a pointer into a table reads whatever the next owner of the page has put there and takes it for descriptors, or corrupts it. RCU and the lock of the tables are there to prevent this.',
  sources: [
    'Linux arch/arm64/include/asm/kvm_pgtable.h: shared walks run inside of an RCU read-side section',
    'Linux arch/arm64/kvm/mmu.c from 6.2 on: stage2_free_unlinked_table() frees after a grace period',
  ],
  check(fact) {
    if (fact.kind !== 'freed-page-used') return null;
    return `cpu${fact.pe} ${fact.access}s 0x${fact.pa.toString(16)} in ${fact.name}, which has been freed`;
  },
};
