import { within } from '../../program/source-location.ts';
import { HOLDS, refuted, type Candidate, type Expectation } from '../candidate.ts';
import { withHardware } from '../hardware.ts';
import { call, noEffect, type HostCode } from '../host-code.ts';
import { kvmFlushRemoteTlbs } from '../kvm-v5_8/flush.ts';
import type { Kvm } from '../kvm-v5_8/kvm.ts';
import { lockMmu, unlockMmu } from '../kvm-v5_8/lock.ts';
import { KERNEL, MMU_C } from '../kvm-v5_8/source-files.ts';
import { userMemAbort } from '../kvm-v5_8/user-mem-abort.ts';
import { stage2WpRange } from '../kvm-v5_8/write-protect.ts';
import { announceBegin, announceReturn, type Request } from '../operation.ts';

/** `kvm_mmu_wp_memory_region`: dirty logging starts, so every write must fault from now on. */
function* writeProtect(kvm: Kvm, flush: (kvm: Kvm) => HostCode, request: Request): HostCode {
  const at = within(MMU_C, 'kvm_mmu_wp_memory_region');
  const name = 'kvm_mmu_wp_memory_region';
  yield* announceBegin(kvm, name);
  yield* lockMmu(kvm, at(1652, 'spin_lock(mmu_lock)'));
  yield* call(at(1653, 'stage2_wp_range()'), stage2WpRange(kvm, request.range));
  yield* unlockMmu(kvm, at(1654, 'spin_unlock(mmu_lock)'));
  yield* call(at(1655, 'kvm_flush_remote_tlbs()'), flush(kvm));
  yield* announceReturn(kvm, name, request, 'write-permission');
}

function writeProtectCandidate(form: {
  readonly name: string;
  readonly title: string;
  readonly expected: Expectation;
  readonly why: string;
  readonly flush: (kvm: Kvm) => HostCode;
}): Candidate {
  return {
    id: `write-protect/${form.name}`,
    title: form.title,
    mirrors: [
      { kernel: KERNEL, file: MMU_C, function: 'kvm_mmu_wp_memory_region' },
      { kernel: KERNEL, file: MMU_C, function: 'stage2_wp_range' },
    ],
    reference: ['v5.8-rc7'],
    expected: (features) =>
      withHardware(form.expected, features, { repeats: false, freesTables: false }),
    why: form.why,
    operation: 'write-protect',
    host: (kvm, request) => writeProtect(kvm, form.flush, request),
    fault: userMemAbort,
  };
}

export const writeProtectThenFlush: Candidate = writeProtectCandidate({
  name: 'flush-after-unlock',
  title: 'v5.8: write-protect under the lock, flush the VM after it',
  expected: HOLDS,
  why:
    'Nobody relies on the missing right before the function returns, so the flush may come after ' +
    'the lock; a change of permissions needs no break-before-make (R_GPPYH).',
  flush: kvmFlushRemoteTlbs,
});

export const writeProtectWithoutFlush: Candidate = writeProtectCandidate({
  name: 'without-flush',
  title: 'write-protect without a flush',
  expected: refuted({ rule: 'P7', condition: 'when a PE holds a writable entry', needs: [] }),
  why: 'Permissions are cached with the translation: writes go on unseen and are missing from the log.',
  flush: () => noEffect(undefined),
});
