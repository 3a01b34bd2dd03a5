import type { Rule } from './rule.ts';

/** Tables are written by one thread at a time. */
export const tablesChangeUnderLock: Rule = {
  id: 'tables-change-under-lock',
  family: 'locks',
  statement: 'Words of stage-2 tables are written only while the PE holds the lock of the tables.',
  why: 'A fault handler may map, or another unmap may free, between two steps of a walk that does not hold the lock: it then works on tables that are no longer there.',
  sources: ['Linux v5.8: assert_spin_locked(&kvm->mmu_lock) in unmap_stage2_range'],
  check(fact) {
    if (fact.kind !== 'table-written' || fact.locksHeld > 0) return null;
    return `cpu${fact.pe} writes the table word at 0x${fact.pa.toString(16)} without the lock`;
  },
};
