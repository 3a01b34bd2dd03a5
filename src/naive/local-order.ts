import type { BarrierDomain, BarrierLimit, Effect } from '../program/effect.ts';
import { picks, type Expr } from '../program/expr.ts';
import {
  hasFaulted,
  hasTranslated,
  isAcquire,
  isPendingAccess,
  isRead,
  isRelease,
  isSynchronisation,
  isWrite,
  known,
  placeOf,
  sameWord,
} from './instance.ts';
import type { Instance, Invalidation, Pe } from './state.ts';
import type { World } from './world.ts';

/**
 * Local order: which earlier events of its PE an event waits for (event-machine.md 2.2; read against
 * herd7's aarch64hwreqs.cat, whose relation names stand in the comments). Every function asks about
 * the instance at `at` in the window; whatever retired is done and orders nothing any more.
 */
interface Waiting {
  readonly pe: Pe;
  readonly earlier: readonly Instance[];
  readonly self: Instance;
}

function waiting(pe: Pe, at: number): Waiting | null {
  const self = pe.window[at];
  return self === undefined ? null : { pe, earlier: pe.window.slice(0, at), self };
}

/** T: after synchronisation events; with ETS2 or ETS3 also after DSBs (DSB-ob to Imp TTD). */
export function mayTranslate(world: World, pe: Pe, at: number): boolean {
  const w = waiting(pe, at);
  if (w === null || synchronisationPending(w)) return false;
  return world.features.ets === 'none' || !dsbPending(w);
}

/** ets-ob: a T that ends in such a fault comes after every earlier explicit access. */
export function accessesBeforeFaultDone(pe: Pe, at: number): boolean {
  return !pe.window.slice(0, at).some(isPendingAccess);
}

/** A fault event: under the barriers and acquires (bob), not under branches. */
export function mayFault(pe: Pe, at: number): boolean {
  const w = waiting(pe, at);
  if (w === null || commonPending(w) || acquirePending(w)) return false;
  return !barrierPending(w, (limit) =>
    limit === 'full' ? isPendingAccess : limit === 'ld' ? pendingRead : pendingWrite,
  );
}

/** An explicit read, its T done. */
export function mayRead(pe: Pe, at: number): boolean {
  const w = waiting(pe, at);
  if (w === null || commonPending(w) || acquirePending(w) || sameLineMaintenance(w)) return false;
  // [Exp W & L]; po; [Exp R & A], not for acquire-pc.
  const { effect } = w.self;
  const strong = isAcquire(w.self) && !(effect.kind === 'load' && effect.order === 'acquire-pc');
  if (strong && w.earlier.some((x) => isRelease(x) && isPendingAccess(x))) return false;
  return !barrierPending(w, (limit) =>
    limit === 'full' ? pendingAccessOrMaintenance : limit === 'ld' ? pendingRead : null,
  );
}

/** An explicit write, its T done and its data known. */
export function mayWrite(pe: Pe, at: number): boolean {
  const w = waiting(pe, at);
  if (w === null || commonPending(w) || acquirePending(w) || sameLineMaintenance(w)) return false;
  if (controlPending(w) || pickedAddressPending(w)) return false;
  // dob: [Imp TTD R]; tr-ib; [Exp M]; po; [Exp W]. Nothing after an untranslated access is sure.
  if (w.earlier.some((x) => !hasTranslated(pe, x))) return false;
  // lmws: earlier accesses to the same location.
  if (w.earlier.some((x) => isPendingAccess(x) && sameWord(pe, x, w.self))) return false;
  if (isRelease(w.self) && w.earlier.some(isPendingAccess)) return false;
  return !barrierPending(w, (limit) =>
    limit === 'full'
      ? pendingAccessOrMaintenance
      : limit === 'ld'
        ? pendingRead
        : (x) => isWrite(x) && isPendingAccess(x),
  );
}

/** Instruction fetch: after synchronisation events only. */
export function mayFetch(pe: Pe, at: number): boolean {
  const w = waiting(pe, at);
  return w !== null && !synchronisationPending(w);
}

/** ISB, exception entry and return: after earlier T, branches, DSBs and register writes (IFB-ob). */
export function maySynchronise(pe: Pe, at: number): boolean {
  const w = waiting(pe, at);
  if (w === null || commonPending(w) || controlPending(w)) return false;
  if (pickedAddressPending(w)) return false;
  // A TLBI executes at the Exception level it is written for.
  const changesLevel = w.self.effect.kind !== 'isb';
  if (changesLevel && w.earlier.some((x) => x.effect.kind === 'tlbi' && !x.done)) return false;
  return !w.earlier.some((x) => (x.effect.kind === 'context' && !x.done) || !hasTranslated(pe, x));
}

/** A register write, and the issue of TLBI and IC: not speculative, after DSB and synchronisation. */
export function mayIssue(pe: Pe, at: number): boolean {
  const w = waiting(pe, at);
  if (w === null) return false;
  // Register writes are in program order; a TLBI may still be issued under the old context.
  const registers = w.self.effect.kind === 'context';
  if (registers && w.earlier.some((x) => x.effect.kind === 'context' && !x.done)) return false;
  return !commonPending(w) && !controlPending(w);
}

/** DC: like an issue, and ordered with accesses to its line and by DMB full (bob, po-scl-ob). */
export function mayMaintain(pe: Pe, at: number): boolean {
  const w = waiting(pe, at);
  if (w === null || commonPending(w) || controlPending(w) || sameLineMaintenance(w)) return false;
  if (w.earlier.some((x) => !hasTranslated(pe, x))) return false;
  if (w.earlier.some((x) => isPendingAccess(x) && sameWord(pe, x, w.self))) return false;
  return !barrierPending(w, (limit) => (limit === 'full' ? pendingAccessOrMaintenance : null));
}

/** DSB: after the earlier events it covers, TLBIs of the PE included where it is full. */
export function mayCompleteDsb(
  ledger: readonly Invalidation[],
  index: number,
  pe: Pe,
  at: number,
): boolean {
  const w = waiting(pe, at);
  if (w === null || w.self.effect.kind !== 'dsb') return false;
  const { limit, domain } = w.self.effect;
  if (w.earlier.some((x) => covers(limit, x))) return false;
  if (limit !== 'full') return true;
  return !ledger.some(
    (item) => item.pe === index && item.seq < w.self.seq && reaches(domain, item),
  );
}

function covers(limit: BarrierLimit, x: Instance): boolean {
  switch (limit) {
    case 'ld':
      return pendingRead(x);
    case 'st':
      return isWrite(x) && isPendingAccess(x);
    case 'full':
      if (x.done || hasFaulted(x)) return false;
      return isPendingAccess(x) || ['fetch', 'tlbi', 'dc', 'ic'].includes(x.effect.kind);
  }
}

/** Whether a DSB of this domain promises completion of the invalidation (R_PSMWS, R_YNJCP). */
function reaches(domain: BarrierDomain, { op }: Invalidation): boolean {
  switch (op.scope) {
    case 'local':
      return true;
    case 'inner':
      return domain !== 'nsh';
    case 'outer':
      return domain === 'osh' || domain === 'sy';
  }
}

/** Synchronisation, DSB (which orders all later events but T and fetches), and earlier fetches (f-ob). */
function commonPending(w: Waiting): boolean {
  return (
    synchronisationPending(w) ||
    dsbPending(w) ||
    w.earlier.some((x) => x.effect.kind === 'fetch' && !x.done && !hasFaulted(x))
  );
}

function synchronisationPending({ earlier }: Waiting): boolean {
  return earlier.some((x) => isSynchronisation(x) && !x.done);
}

function dsbPending({ earlier }: Waiting): boolean {
  return earlier.some((x) => x.effect.kind === 'dsb' && !x.done);
}

/** An acquire waits for its read; with acquire and release both, for the write of the atomic. */
function acquirePending({ earlier }: Waiting): boolean {
  return earlier.some((x) => isAcquire(x) && isPendingAccess(x) && (!hasRead(x) || isRelease(x)));
}

/**
 * A branch whose condition is not known (ctrl) or was picked by a select that is not resolved
 * (pick-ctrl-dep); a lock is a loop and ends in a branch, and so does allocation. Own operands that a
 * select picked count as well.
 */
function controlPending({ pe, earlier, self }: Waiting): boolean {
  if (expressionsOf(self.effect).some((expr) => pickPending(pe, expr))) return true;
  return earlier.some(({ effect, done }) => {
    if (effect.kind === 'branch') {
      return known(pe, effect.condition) === undefined || pickPending(pe, effect.condition);
    }
    return (effect.kind === 'lock' || effect.kind === 'alloc-page') && !done;
  });
}

/** pick-addr-dep; [Exp M]; po, and for synchronisation also pick-addr-dep; tr-ib: done or not. */
function pickedAddressPending({ pe, earlier }: Waiting): boolean {
  return earlier.some(({ effect }) => {
    const place = placeOf(effect);
    return place !== null && pickPending(pe, place.address);
  });
}

function pickPending(pe: Pe, expr: Expr): boolean {
  return picks(expr).some((seq) => pe.window.some((x) => x.seq === seq && !x.done));
}

/** Operands of an effect. */
function expressionsOf(effect: Effect): readonly Expr[] {
  const place = placeOf(effect);
  const address = place === null ? [] : [place.address];
  switch (effect.kind) {
    case 'store':
      return [...address, effect.data];
    case 'rmw':
      return [...address, ...effect.operands];
    case 'tlbi':
      return [effect.operand];
    default:
      return address;
  }
}

function sameLineMaintenance({ pe, earlier, self }: Waiting): boolean {
  return earlier.some((x) => pendingMaintenance(x) && sameWord(pe, x, self));
}

/** Whether some earlier DMB has before it an event of the kind it keeps before `self`. */
function barrierPending(
  { earlier }: Waiting,
  ordered: (limit: BarrierLimit) => ((x: Instance) => boolean) | null,
): boolean {
  return earlier.some(({ effect }, position) => {
    if (effect.kind !== 'dmb') return false;
    const isOrdered = ordered(effect.limit);
    return isOrdered !== null && earlier.slice(0, position).some(isOrdered);
  });
}

/** The read of an atomic has happened (its write may be to come). */
function hasRead(x: Instance): boolean {
  return x.effect.kind === 'rmw' && x.value !== null;
}

/** Reads that DMB LD and DSB LD order: all but atomics without a return value. */
function pendingRead(x: Instance): boolean {
  if (x.effect.kind === 'rmw' && x.effect.noReturn) return false;
  return isRead(x) && isPendingAccess(x) && !hasRead(x);
}

function pendingWrite(x: Instance): boolean {
  return isWrite(x) && isPendingAccess(x);
}

function pendingMaintenance(x: Instance): boolean {
  return x.effect.kind === 'dc' && !x.done && !hasFaulted(x);
}

function pendingAccessOrMaintenance(x: Instance): boolean {
  return isPendingAccess(x) || pendingMaintenance(x);
}
