import { never } from '../util/never.ts';
import type { TlbiOp, TlbiScope } from './tlbi.ts';

/** Observers a barrier speaks about: Non-, Inner, Outer Shareable domain, or the full system. */
export type BarrierDomain = 'nsh' | 'ish' | 'osh' | 'sy';

/**
 * Accesses a barrier speaks about. `full`: loads and stores on both sides. `ld`: loads before.
 * `st`: stores before (for DMB, before and after).
 */
export type BarrierAccess = 'full' | 'ld' | 'st';

/** A barrier instruction. */
export type Barrier =
  | { readonly kind: 'dmb'; readonly domain: BarrierDomain; readonly access: BarrierAccess }
  | {
      readonly kind: 'dsb';
      readonly domain: BarrierDomain;
      readonly access: BarrierAccess;
      /** DSB nXS (FEAT_XS): does not wait for accesses with XS = 1. Only with `full`. */
      readonly nxs: boolean;
    }
  | { readonly kind: 'isb' };

/** A Data Synchronization Barrier. */
export type Dsb = Extract<Barrier, { kind: 'dsb' }>;

const DOMAINS: readonly BarrierDomain[] = ['nsh', 'ish', 'osh', 'sy'];
const ACCESSES: readonly BarrierAccess[] = ['full', 'ld', 'st'];

/** The option of a DMB or DSB as written in assembly: `SY`, `LD`, `ST`, `ISH`, `ISHLD`, ... */
function showOption(domain: BarrierDomain, access: BarrierAccess, nxs: boolean): string {
  const suffix = access === 'full' ? '' : access.toUpperCase();
  const name = domain === 'sy' && suffix !== '' ? suffix : domain.toUpperCase() + suffix;
  return nxs ? `${name}nXS` : name;
}

/** A barrier as written in assembly, for example `DSB ISHST`, `DSB ISHnXS`, `ISB`. */
export function showBarrier(barrier: Barrier): string {
  switch (barrier.kind) {
    case 'isb':
      return 'ISB';
    case 'dmb':
      return `DMB ${showOption(barrier.domain, barrier.access, false)}`;
    case 'dsb':
      return `DSB ${showOption(barrier.domain, barrier.access, barrier.nxs)}`;
    default:
      return never(barrier);
  }
}

/** Every barrier. */
export const BARRIERS: readonly Barrier[] = [
  ...DOMAINS.flatMap((domain) =>
    ACCESSES.map((access): Barrier => ({ kind: 'dmb', domain, access })),
  ),
  ...DOMAINS.flatMap((domain) =>
    ACCESSES.map((access): Barrier => ({ kind: 'dsb', domain, access, nxs: false })),
  ),
  ...DOMAINS.map((domain): Barrier => ({ kind: 'dsb', domain, access: 'full', nxs: true })),
  { kind: 'isb' },
];

const BY_NAME: ReadonlyMap<string, Barrier> = new Map(
  BARRIERS.map((barrier) => [showBarrier(barrier).toLowerCase(), barrier]),
);

/** Result of parsing a barrier; the message is one sentence. */
export type ParsedBarrier =
  | { readonly kind: 'barrier'; readonly barrier: Barrier }
  | { readonly kind: 'error'; readonly code: 'barrier-unknown'; readonly message: string };

/**
 * Parses a barrier as in assembly (`DSB ISHST`, `ISB`, `ISB SY`) or as a kernel macro (`dsb(ishst)`,
 * `isb()`). The case does not matter.
 */
export function parseBarrier(text: string): ParsedBarrier {
  const words = text
    .toLowerCase()
    .trim()
    .split(/[\s()]+/)
    .filter((word) => word !== '');
  const name = words[0] === 'isb' && words[1] === 'sy' ? 'isb' : words.join(' ');
  const barrier = BY_NAME.get(name);
  if (barrier !== undefined) return { kind: 'barrier', barrier };
  return {
    kind: 'error',
    code: 'barrier-unknown',
    message: `"${text}" is not a barrier; write for example DMB ISH, DSB ISHST, DSB ISHnXS or ISB.`,
  };
}

/** A kind of access that a DMB or DSB may order. */
export type AccessKind = 'load' | 'store';

/** Whether a DMB or DSB waits for, or orders, program-earlier accesses of this kind. */
export function ordersEarlier(access: BarrierAccess, earlier: AccessKind): boolean {
  return access === 'full' || (access === 'ld' ? earlier === 'load' : earlier === 'store');
}

/**
 * Whether a DMB holds program-later accesses of this kind back behind those it orders. A DSB holds
 * every later instruction back, so it has no such function. DMB LD orders later loads and stores.
 */
export function dmbOrdersLater(access: BarrierAccess, later: AccessKind): boolean {
  return access !== 'st' || later === 'store';
}

function reach(domain: BarrierDomain): number {
  return DOMAINS.indexOf(domain);
}

/** The smallest barrier domain that covers the PEs an invalidation reaches. */
function neededDomain(scope: TlbiScope): BarrierDomain {
  switch (scope) {
    case 'local':
      return 'nsh';
    case 'inner':
      return 'ish';
    case 'outer':
      return 'osh';
    default:
      return never(scope);
  }
}

/**
 * How far a DSB of the issuing PE completes one of its program-earlier TLBIs.
 *
 * - `nothing`: it covers only loads or only stores, or a smaller domain than the TLBI reaches
 *   (R_PSMWS, R_YNJCP);
 * - `without-xs`: complete but for accesses with XS = 1, because one of the two is an nXS form
 *   (cf. R_TSJSN, I_TFQRW);
 * - `all`: complete (R_LXHLD).
 *
 * A DSB of another PE completes nothing; that is the caller's to know.
 */
export function dsbCompletes(dsb: Dsb, op: TlbiOp): 'nothing' | 'without-xs' | 'all' {
  if (dsb.access !== 'full' || reach(dsb.domain) < reach(neededDomain(op.scope))) return 'nothing';
  return dsb.nxs || op.nxs ? 'without-xs' : 'all';
}
