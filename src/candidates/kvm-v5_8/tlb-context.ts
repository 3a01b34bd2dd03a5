import { within } from '../../program/source-location.ts';
import { isb, writeContext, type HostCode } from '../host-code.ts';
import type { Kvm } from './kvm.ts';
import { KVM_MMU_H, TLB_C } from './source-files.ts';

/**
 * `__tlb_switch_to_guest`: TLBIs by VMID act on the VMID in force, so the VM's VTTBR is loaded first.
 *
 * With VHE the kernel also disables interrupts and clears HCR_EL2.TGE; TGE is not part of the
 * machine's context, and interrupts are not modelled, so both are left out. The workaround for
 * speculative address translation (EPD bits) is left out too: its erratum is not modelled.
 */
export function* tlbSwitchToGuest(kvm: Kvm): HostCode {
  yield writeContext(
    { vmid: kvm.vmid, stage2: { root: kvm.root, hardwareUpdate: kvm.features.s2Hafdbs } },
    within(KVM_MMU_H, '__load_guest_stage2')(598, `VTTBR_EL2 := VM ${kvm.vmid}`),
  );
  yield isb(
    kvm.features.vhe
      ? within(TLB_C, '__tlb_switch_to_guest_vhe')(60, 'isb()')
      : within(TLB_C, '__tlb_switch_to_guest_nvhe')(84, 'isb()'),
  );
}

/** `__tlb_switch_to_host`: VTTBR back to 0; only the VHE form synchronises, nVHE is about to ERET. */
export function* tlbSwitchToHost(kvm: Kvm): HostCode {
  const at = kvm.features.vhe
    ? within(TLB_C, '__tlb_switch_to_host_vhe')
    : within(TLB_C, '__tlb_switch_to_host_nvhe');
  yield writeContext({ vmid: 0, stage2: null }, at(kvm.features.vhe ? 103 : 119, 'VTTBR_EL2 := 0'));
  if (kvm.features.vhe) yield isb(at(105, 'isb()'));
}
