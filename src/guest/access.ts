import type { Effect } from '../program/effect.ts';
import { constant } from '../program/expr.ts';
import type { SourceLocation } from '../program/source-location.ts';

/** One access of a vCPU, at the first line of a page. */
export type GuestAccess =
  | { readonly kind: 'read'; readonly va: bigint }
  | { readonly kind: 'write'; readonly va: bigint; readonly value: bigint }
  | { readonly kind: 'execute'; readonly va: bigint };

/** The kinds of access, in the order the general guest offers them. */
export const ACCESS_KINDS = ['read', 'write', 'execute'] as const;

/** One of them. */
export type AccessKind = (typeof ACCESS_KINDS)[number];

/** A location in a vCPU's program, which has no file of its own. */
export function guestLocation(vcpu: string, text: string): SourceLocation {
  return { file: 'guest', line: 0, function: vcpu, text };
}

/** The access as an effect whose outcome, value or fault, the guest goes on with. */
export function accessEffect(vcpu: string, access: GuestAccess): Effect {
  const location = guestLocation(vcpu, describe(access));
  const at = { kind: 'virtual', address: constant(access.va), unprivileged: false } as const;
  switch (access.kind) {
    case 'read':
      return {
        kind: 'load',
        at,
        bytes: 8,
        order: 'plain',
        exclusive: false,
        wanted: true,
        location,
      };
    case 'write':
      return {
        kind: 'store',
        at,
        bytes: 8,
        data: constant(access.value),
        order: 'plain',
        exclusive: false,
        wanted: true,
        location,
      };
    case 'execute':
      return { kind: 'fetch', at, wanted: true, location };
  }
}

function describe(access: GuestAccess): string {
  const address = `0x${access.va.toString(16)}`;
  switch (access.kind) {
    case 'read':
      return `read ${address}`;
    case 'write':
      return `write ${access.value} to ${address}`;
    case 'execute':
      return `execute at ${address}`;
  }
}
