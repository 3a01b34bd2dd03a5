import type { Rule } from './rule.ts';

/** P5 on the instruction side: the guest executes what is there now. */
export const instructionsAfterMap: Rule = {
  id: 'instructions-after-map',
  family: 'P5',
  statement:
    'A guest never executes an instruction older than what the host last put into the page.',
  why: 'When a page is taken away, filled with something else and mapped again, an instruction cache that finds lines by VMID may still hold the old instructions, and maintenance that the host runs under its own VMID does not reach them.',
  sources: [
    'Arm ARM: VPIPT instruction caches; maintenance at EL1 reaches lines of the current VMID',
    'Linux v5.8 arch/arm64/kvm/hyp/tlb.c: the I-cache step of __kvm_tlb_flush_vmid_ipa',
  ],
  check(fact) {
    if (fact.kind !== 'stale-fetch') return null;
    return `cpu${fact.pe} executes ${fact.value} from 0x${fact.pa.toString(16)}, where the host has put ${fact.lastStored}`;
  },
};
