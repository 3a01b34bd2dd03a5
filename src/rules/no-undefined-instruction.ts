import type { Rule } from './rule.ts';

/** The code executes only what exists where it runs. */
export const noUndefinedInstruction: Rule = {
  id: 'no-undefined-instruction',
  family: 'undefined',
  statement:
    'No TLBI or register write is executed at an Exception level, or on a machine, where it is UNDEFINED.',
  why: 'A host without VHE runs at EL1, where stage-2 maintenance and VTTBR_EL2 are UNDEFINED: what is meant for EL2 has to go through a hyp call. A range operation on a core without FEAT_TLBIRANGE is UNDEFINED too. The host takes an Undefined Instruction exception instead of invalidating anything.',
  sources: [
    'Arm ARM: accessibility pseudocode of TLBI IPAS2E1IS, VMALLS12E1IS, ALLE1IS and of VTTBR_EL2',
    'Arm ARM: FEAT_TLBIRANGE, FEAT_TLBIOS, FEAT_XS: without them their operations are UNDEFINED',
    'Linux v5.8 arch/arm64/include/asm/kvm_host.h: kvm_call_hyp',
  ],
  check(fact) {
    if (fact.kind !== 'undefined-instruction') return null;
    return `cpu${fact.pe} executes ${fact.instruction}, but ${fact.reason}`;
  },
};
