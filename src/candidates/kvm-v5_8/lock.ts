import { valueOf, type HostCode } from '../host-code.ts';
import type { SourceLocation } from '../../program/source-location.ts';
import type { Kvm } from './kvm.ts';

/** `spin_lock(&kvm->mmu_lock)`. */
export function* lockMmu(kvm: Kvm, location: SourceLocation): HostCode {
  yield { kind: 'lock', lock: kvm.mmuLock, location };
}

/** `spin_unlock(&kvm->mmu_lock)`. */
export function* unlockMmu(kvm: Kvm, location: SourceLocation): HostCode {
  yield { kind: 'unlock', lock: kvm.mmuLock, location };
}

/**
 * `cond_resched_lock`: gives the lock to a waiter for a moment when the scheduler asks for it, or
 * somebody spins on it. Which of the two happens is decided by the scenario.
 */
export function* condReschedLock(kvm: Kvm, location: SourceLocation): HostCode {
  if (kvm.reschedule === 'never') return;
  if (kvm.reschedule === 'choose') {
    const drop = valueOf(yield { kind: 'choose', options: 2, location });
    if (drop === 0n) return;
  }
  yield* unlockMmu(kvm, location);
  yield* lockMmu(kvm, location);
}
