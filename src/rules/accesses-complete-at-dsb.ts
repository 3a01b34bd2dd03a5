import type { Rule } from './rule.ts';

/** P10: completion of accesses, as a notion separate from the removal of entries. */
export const accessesCompleteAtDsb: Rule = {
  id: 'accesses-complete-at-dsb',
  family: 'P10',
  statement:
    'When the DSB after a TLBI completes, every access that used a translation it removed has been performed.',
  why: 'Software takes the end of the DSB for the end of all accesses through the old translation. On cores with the repeat-TLBI class of errata an access may still be on its way.',
  sources: [
    'Arm ARM R_STPSQ (pairing unchecked): completion includes the accesses that used the old information',
    'Linux d9ff80f83ecb, ce8c80c536da, 171df58028bf: ARM64_WORKAROUND_REPEAT_TLBI',
  ],
  check(fact) {
    if (fact.kind !== 'access' || !fact.overdue) return null;
    return `cpu${fact.pe} performs a ${fact.access} through a removed translation after the DSB that was to complete it`;
  },
};
