import type { ThreadBody } from '../program/generator-thread.ts';
import {
  ACCESS_KINDS,
  accessEffect,
  guestLocation,
  type AccessKind,
  type GuestAccess,
} from './access.ts';
import type { FaultHandler } from './guest-code.ts';

/** What the general guest may do. */
export interface GeneralGuest {
  readonly vcpu: string;
  /** The addresses it may use. */
  readonly vas: readonly bigint[];
  /** The kinds of access it may make; all of them when not given. */
  readonly kinds?: readonly AccessKind[];
  /** What it stores; one value is enough to tell its stores from what was there before. */
  readonly value: bigint;
  /** What a stage-2 fault leads to: nothing, the guest just goes on, or the host's fault path. */
  readonly handler: FaultHandler | null;
}

/**
 * The general guest: any access, at any time, as often as it likes. It repeats, so its tree is a
 * finite graph and an unbounded guest can be explored exhaustively.
 */
export function generalGuest(guest: GeneralGuest): ThreadBody {
  const kinds = guest.kinds ?? ACCESS_KINDS;
  const choices: readonly GuestAccess[] = guest.vas.flatMap((va) =>
    kinds.map((kind): GuestAccess =>
      kind === 'write' ? { kind, va, value: guest.value } : { kind, va },
    ),
  );
  return function* () {
    let chosen = 0;
    if (choices.length > 1) {
      const answer = yield {
        kind: 'choose',
        options: choices.length,
        location: guestLocation(guest.vcpu, 'choose any access'),
      };
      chosen = answer.kind === 'value' ? Number(answer.value) : 0;
    }
    const access = choices[chosen];
    if (access === undefined) throw new Error(`${guest.vcpu} has no access ${chosen}`);
    const answer = yield accessEffect(guest.vcpu, access);
    if (answer.kind === 'fault' && answer.fault.stage === 2 && guest.handler !== null) {
      yield* guest.handler(answer.fault);
    }
    return 'repeats';
  };
}

/**
 * A guest that wants one access and tries it until it comes through, each time by way of the host's
 * fault path. It repeats after a fault, so a loop in which it never succeeds is a cycle of states.
 */
export function persistentGuest(
  vcpu: string,
  access: GuestAccess,
  handler: FaultHandler,
): ThreadBody {
  return function* () {
    const answer = yield accessEffect(vcpu, access);
    if (answer.kind !== 'fault' || answer.fault.stage === 1) return 'ends';
    return (yield* handler(answer.fault)) === 'retry' ? 'repeats' : 'ends';
  };
}
