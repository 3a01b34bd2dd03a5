import type { Rule } from './rule.ts';

/** P7: a right that was taken away is gone. */
export const permissionsAfterReturn: Rule = {
  id: 'permissions-after-return',
  family: 'P7',
  statement:
    'After an operation that takes a right away has returned, no access is performed that needs it.',
  why: "Write protection is how dirty logging, copy-on-write and page merging learn of writes. A write through an old, writable entry is seen by nobody: migration sends an old page, or two owners of a merged page see each other's data.",
  sources: [
    'Arm ARM R_GPPYH: a permission change needs no break-before-make, but a TLBI afterwards',
    'Linux: kvm_mmu_wp_memory_region and its flush',
  ],
  check(fact) {
    if (fact.kind === 'right-left') {
      return `cpu${fact.pe} may still write 0x${fact.address.toString(16)}, by a walk of the tables as the operation has left them`;
    }
    if (fact.kind !== 'access' || !fact.rightRevoked) return null;
    return `cpu${fact.pe} performs a ${fact.access} through a translation whose right to it was taken away before the operation returned`;
  },
};
