import type { Rule } from './rule.ts';

/** P6: maintenance names the VM it is for. */
export const rightVmid: Rule = {
  id: 'right-vmid',
  family: 'P6',
  statement:
    "A TLBI that is meant for a VM is issued while that VM's VMID is in force, and the kernel of a host at EL1 runs with VMID 0.",
  why: 'TLBIs by VMID act on the VMID in VTTBR_EL2. With another one in force, or with a register write that is not yet synchronised, the entries of the VM stay. Entries of stage 1 carry the VMID even while stage 2 is off: what a host at EL1 caches under the VMID of a VM is hit by that VM, and its own invalidations miss what it cached before.',
  sources: [
    'Arm ARM D8.17.6: VMALL* and IPA forms match the current VMID',
    'Arm ARM, context synchronisation events: a register write has no promised effect before one',
    'Arm ARM I_YWBQX: entries are tagged with the VMID also while stage 2 is off',
    'Linux: __tlb_switch_to_guest before every TLBI of KVM; __tlb_switch_to_host_nvhe after it',
  ],
  check(fact) {
    if (fact.kind === 'host-under-vmid') {
      return `cpu${fact.pe} goes on in the kernel at EL1 with VMID ${fact.vmid} in force`;
    }
    if (fact.kind !== 'tlbi-issued' || fact.intendedVmid === null) return null;
    if (fact.vmid === fact.intendedVmid) return null;
    return `cpu${fact.pe} issues TLBI ${fact.op} with VMID ${fact.vmid} in force, meant for VMID ${fact.intendedVmid}`;
  },
};
