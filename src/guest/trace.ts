import type { Context } from '../program/effect.ts';
import type { ThreadBody } from '../program/generator-thread.ts';
import { accessEffect, guestLocation, type GuestAccess } from './access.ts';
import type { FaultHandler, GuestCode } from './guest-code.ts';

/** One step of a vCPU's trace. */
export type GuestStep =
  | { readonly kind: 'access'; readonly access: GuestAccess }
  /**
   * The PE goes to another vCPU, of the same or of another VM: exit to the hypervisor, new context,
   * entry. `vcpu` names the one that runs from here on.
   */
  | { readonly kind: 'switch'; readonly vcpu: string; readonly to: Context };

/** What one PE's guest side does, in order. */
export interface GuestTrace {
  /** The vCPU that runs first. */
  readonly vcpu: string;
  readonly steps: readonly GuestStep[];
  /**
   * After a stage-2 fault: `end` the thread, `skip` the access, or enter the host's fault path and
   * try again, at most `retries` times. A stage-1 fault would go to the guest's own kernel, which is
   * not modelled; it ends the thread unless accesses are skipped.
   */
  readonly onFault: 'end' | 'skip' | { readonly handler: FaultHandler; readonly retries: number };
}

/** A thread that runs the trace once. */
export function traceThread(trace: GuestTrace): ThreadBody {
  return function* () {
    let { vcpu } = trace;
    for (const step of trace.steps) {
      if (step.kind === 'switch') {
        yield* switchVcpu(vcpu, step.vcpu, step.to);
        ({ vcpu } = step);
      } else if (!(yield* tryAccess(vcpu, step.access, trace.onFault))) {
        return 'ends';
      }
    }
    return 'ends';
  };
}

/** Does one access; false when the thread is over because of a fault. */
function* tryAccess(
  vcpu: string,
  access: GuestAccess,
  onFault: GuestTrace['onFault'],
): GuestCode<boolean> {
  for (let tries = 0; ; tries += 1) {
    const answer = yield accessEffect(vcpu, access);
    if (answer.kind !== 'fault' || onFault === 'skip') return true;
    if (onFault === 'end' || answer.fault.stage === 1) return false;
    if (tries === onFault.retries) return false;
    if ((yield* onFault.handler(answer.fault)) === 'no-page') return false;
  }
}

/**
 * The hypervisor's part of a switch between vCPUs on one PE: entry at EL2, the registers of the
 * other one, return. Nothing is invalidated: between VMs the VMID keeps entries apart; for two vCPUs
 * of one VM see the corpus entry vcpu-multiplex-tlb.
 */
function* switchVcpu(from: string, to: string, context: Context): GuestCode {
  const { el, ...change } = context;
  yield { kind: 'exception-entry', toEl: 2, location: guestLocation(from, `leave ${from}`) };
  yield { kind: 'context', change, location: guestLocation(from, `load the registers of ${to}`) };
  yield {
    kind: 'exception-return',
    toEl: el === 0 ? 0 : 1,
    location: guestLocation(from, `enter ${to}`),
  };
}
