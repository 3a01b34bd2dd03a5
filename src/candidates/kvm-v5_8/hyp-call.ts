import { within } from '../../program/source-location.ts';
import { call, isb, type HostCode } from '../host-code.ts';
import type { Kvm } from './kvm.ts';
import { HYP_S, KVM_HOST_H } from './source-files.ts';

/**
 * `kvm_call_hyp`: runs a function at EL2. With VHE the host is there already and the call ends with
 * an ISB, so that both forms end in a context synchronisation event; otherwise HVC and ERET.
 */
export function* kvmCallHyp(kvm: Kvm, name: string, body: HostCode): HostCode {
  const macro = within(KVM_HOST_H, 'kvm_call_hyp');
  if (kvm.features.vhe) {
    yield* call(macro(459, `${name}()`), body);
    yield isb(macro(460, 'isb()'));
    return;
  }
  const stub = within(HYP_S, '__kvm_call_hyp');
  yield { kind: 'exception-entry', toEl: 2, location: stub(32, `hvc: ${name}`) };
  yield* call(macro(462, `__kvm_call_hyp(${name})`), body);
  yield {
    kind: 'exception-return',
    toEl: 1,
    toHost: true,
    location: stub(33, `eret: ${name} done`),
  };
}
