import type { Rule } from './rule.ts';

/** P4: never two different live translations of one address. */
export const breakBeforeMake: Rule = {
  id: 'break-before-make',
  family: 'P4',
  statement:
    'No PE may hold two translations of one input address at a time whose difference needs break-before-make.',
  why: "Using such an address gives a TLB conflict abort, or a result that fits neither entry. What happens after that is outside of the architecture's promises, and of this model.",
  sources: [
    'Arm ARM R_WHZWS: which changes need break-before-make; R_DDMVT: the sequence',
    'Arm ARM R_FVQCK: what may happen otherwise; R_KFLJB, R_KHRBC, R_PVTFW: what FEAT_BBM forgives',
  ],
  check(fact) {
    if (fact.kind !== 'two-live') return null;
    return `cpu${fact.pe} may hold two translations of 0x${fact.second.info.inputBase.toString(16)} that differ in ${fact.reason.replaceAll('-', ' ')}`;
  },
};
