import type { Context } from '../program/effect.ts';
import { constant } from '../program/expr.ts';
import { generatorThread } from '../program/generator-thread.ts';
import { thenTree } from '../program/then-tree.ts';
import type { ThreadTree } from '../program/thread-tree.ts';
import { guestLocation } from './access.ts';

/** A vCPU that is entered in the middle of a run. */
export interface LaterGuest {
  readonly vcpu: string;
  /** The word that says which VM: 0 until it may be entered, then a value of VTTBR_EL2. */
  readonly word: bigint;
  readonly vhe: boolean;
  /** The context of a VM with this value. */
  readonly contextOf: (vttbr: bigint) => Context;
  /** What it does from then on. */
  readonly guest: ThreadTree;
}

/**
 * The PE of a vCPU that waits at the host until some other CPU says that its VM may run, then loads
 * VTTBR_EL2 and goes to the guest as KVM's world switch does.
 */
export function laterGuest({ vcpu, word, vhe, contextOf, guest }: LaterGuest): ThreadTree {
  const at = (text: string): ReturnType<typeof guestLocation> => guestLocation(vcpu, text);
  const entry = generatorThread(vcpu, function* () {
    const given = yield {
      kind: 'load',
      at: { kind: 'physical', address: constant(word) },
      bytes: 8,
      order: 'acquire',
      exclusive: false,
      wanted: true,
      location: at('is there a VM to run?'),
    };
    if (given.kind !== 'value' || given.value === 0n) return 'repeats';
    if (!vhe) yield { kind: 'exception-entry', toEl: 2, location: at('hvc: run the vCPU') };
    const { vmid, asid, stage1, stage2 } = contextOf(given.value);
    yield {
      kind: 'context',
      change: { vmid, asid, stage1, stage2 },
      location: at(`VTTBR_EL2 := VMID ${vmid}`),
    };
    yield { kind: 'exception-return', toEl: 1, location: at('eret to the guest') };
    return 'ends';
  });
  return thenTree(entry, guest);
}
