import type { Rule } from './rule.ts';

/** P1: the promise of every unmap. */
export const noAccessAfterReturn: Rule = {
  id: 'no-access-after-return',
  family: 'P1',
  statement:
    'After an operation that removes translations has returned, no access is performed through a translation it removed.',
  why: 'The caller goes on as if the guest had lost the page: it hands it to somebody else, writes it to swap, or maps something else in its place. An access through the old translation then reads or corrupts memory that is no longer the guest\'s. The window between clearing the entry and the return is not a violation: the contract is "invalid before return", not "invalid at once".',
  sources: [
    'Arm ARM R_LXHLD: after completion no new access using old information is architecturally performed',
    'Arm ARM R_DCJQM, R_PSMWS: only a completed TLBI and a DSB of the issuing PE give that promise',
    'Linux: the contract of mmu_notifier_ops.invalidate_range_start (include/linux/mmu_notifier.h)',
  ],
  check(fact) {
    if (fact.kind !== 'access' || !fact.dead) return null;
    return `cpu${fact.pe} performs a ${fact.access} through a translation that was removed before the operation returned`;
  },
};
