import type { Context, Fault } from '../../program/effect.ts';
import { within } from '../../program/source-location.ts';
import type { FaultOutcome } from '../candidate.ts';
import { writeContext, type HostCode } from '../host-code.ts';
import type { Kvm } from './kvm.ts';
import { SWITCH_C } from './source-files.ts';

/** The fault path of a candidate. */
export type HostFault = (kvm: Kvm, fault: Fault) => HostCode<FaultOutcome>;

/**
 * A stage-2 fault as the vCPU's PE sees it: exception to EL2, out to the host (at EL1 without VHE),
 * the handler, back in. `guest` is the context to enter with.
 *
 * With VHE v5.8 leaves VTTBR_EL2 alone on the way out and loads it again on the way in; without VHE
 * it is 0 while the host runs at EL1. The host's own stage 1 is not modelled: its accesses go through
 * the linear map.
 */
export function* handleGuestFault(
  kvm: Kvm,
  guest: Context,
  handler: HostFault,
  fault: Fault,
): HostCode<FaultOutcome> {
  const at = within(SWITCH_C, kvm.features.vhe ? '__kvm_vcpu_run_vhe' : '__kvm_vcpu_run_nvhe');
  const { vmid, asid, stage1, stage2 } = guest;
  yield { kind: 'exception-entry', toEl: 2, location: at(kvm.features.vhe ? 733 : 842, 'exit') };
  if (!kvm.features.vhe) {
    yield writeContext(
      { vmid: 0, asid: 0, stage1: null, stage2: null },
      at(855, '__deactivate_vm(): VTTBR_EL2 := 0'),
    );
    yield {
      kind: 'exception-return',
      toEl: 1,
      toHost: true,
      location: at(855, 'eret to the host'),
    };
  }
  const outcome = yield* handler(kvm, fault);
  if (!kvm.features.vhe) {
    yield { kind: 'exception-entry', toEl: 2, location: at(830, 'hvc: run the vCPU') };
  }
  yield writeContext(
    kvm.features.vhe ? { vmid, stage2 } : { vmid, asid, stage1, stage2 },
    at(kvm.features.vhe ? 723 : 830, `__activate_vm(): VTTBR_EL2 := VM ${vmid}`),
  );
  yield {
    kind: 'exception-return',
    toEl: guest.el === 0 ? 0 : 1,
    location: at(kvm.features.vhe ? 733 : 842, '__guest_enter(): eret'),
  };
  return outcome;
}

/** The context of a host thread that runs outside of any vCPU. */
export function hostContext(kvm: Pick<Kvm, 'features'>): Context {
  return { el: kvm.features.vhe ? 2 : 1, vmid: 0, asid: 0, stage1: null, stage2: null };
}
