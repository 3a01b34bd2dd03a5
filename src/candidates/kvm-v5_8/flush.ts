import { within } from '../../program/source-location.ts';
import { call, dsb, icIalluis, isb, tlbi, type HostCode } from '../host-code.ts';
import { kvmCallHyp } from './hyp-call.ts';
import type { Kvm } from './kvm.ts';
import { CACHEFLUSH_H, MMU_C, TLB_C } from './source-files.ts';
import { tlbSwitchToGuest, tlbSwitchToHost } from './tlb-context.ts';

/**
 * `kvm_tlb_flush_vmid_ipa`: removes what may be cached for one IPA of a VM, at any level, from every
 * PE. Called from the host; `ipa` may be any address inside the page, block or table.
 */
export function* kvmTlbFlushVmidIpa(kvm: Kvm, ipa: bigint): HostCode {
  yield* call(
    within(MMU_C, 'kvm_tlb_flush_vmid_ipa')(63, '__kvm_tlb_flush_vmid_ipa at EL2'),
    kvmCallHyp(kvm, '__kvm_tlb_flush_vmid_ipa', hypFlushVmidIpa(kvm, ipa)),
  );
}

/**
 * The EL2 part. The order matters: stage 2 by IPA, wait, then all of stage 1, because a combined
 * entry could be rebuilt from the old stage-2 entry after the stage-1 operation has passed (Arm ARM
 * D8.17.6.1: IPAS2* need not remove combined entries, R_TVTYQ).
 */
function* hypFlushVmidIpa(kvm: Kvm, ipa: bigint): HostCode {
  const at = within(TLB_C, '__kvm_tlb_flush_vmid_ipa');
  yield dsb('st', 'ish', at(142, 'dsb(ishst)'));
  yield* call(at(146, 'switch to the VM'), tlbSwitchToGuest(kvm));
  yield tlbi('IPAS2E1IS', ipa >> 12n, kvm.vmid, at(154, '__tlbi(ipas2e1is, ipa)'));
  yield dsb('full', 'ish', at(162, 'dsb(ish)'));
  yield tlbi('VMALLE1IS', 0n, kvm.vmid, at(163, '__tlbi(vmalle1is)'));
  yield dsb('full', 'ish', at(164, 'dsb(ish)'));
  yield isb(at(165, 'isb()'));
  if (!kvm.features.vhe && kvm.features.icache === 'vpipt') {
    yield* call(at(187, 'VPIPT: whole I-cache'), flushIcacheAll(kvm));
  }
  yield* call(at(189, 'switch back'), tlbSwitchToHost(kvm));
}

/** `kvm_flush_remote_tlbs`: everything of one VM. Unlike the IPA form it has no I-cache step. */
export function* kvmFlushRemoteTlbs(kvm: Kvm): HostCode {
  yield* call(
    within(MMU_C, 'kvm_flush_remote_tlbs')(58, '__kvm_tlb_flush_vmid at EL2'),
    kvmCallHyp(kvm, '__kvm_tlb_flush_vmid', hypFlushVmid(kvm)),
  );
}

function* hypFlushVmid(kvm: Kvm): HostCode {
  const at = within(TLB_C, '__kvm_tlb_flush_vmid');
  yield dsb('st', 'ish', at(196, 'dsb(ishst)'));
  yield* call(at(200, 'switch to the VM'), tlbSwitchToGuest(kvm));
  yield tlbi('VMALLS12E1IS', 0n, kvm.vmid, at(202, '__tlbi(vmalls12e1is)'));
  yield dsb('full', 'ish', at(203, 'dsb(ish)'));
  yield isb(at(204, 'isb()'));
  yield* call(at(206, 'switch back'), tlbSwitchToHost(kvm));
}

/** `__flush_icache_all`: nothing where CTR_EL0.DIC says the I-cache needs no invalidation. */
export function* flushIcacheAll(kvm: Kvm): HostCode {
  if (kvm.features.dic) return;
  const at = within(CACHEFLUSH_H, '__flush_icache_all');
  yield icIalluis(at(135, 'ic ialluis'));
  yield dsb('full', 'ish', at(136, 'dsb(ish)'));
}
