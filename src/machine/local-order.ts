import type { BarrierDomain } from '../program/effect.ts';
import { KIND, type EffectInfo } from './effect-info.ts';
import { behindProgramOrder } from './program-order.ts';
import { AT, FLAG, flagsOf, get, indexOf, type Window } from './window.ts';

/**
 * Which earlier events of its own PE an event has to wait for: "locally ordered before" of the Arm
 * memory model with translation (cat names in parentheses; event-machine.md 2.2 in words).
 *
 * One relation step is enough: what an event waits for has itself waited for what is before it.
 * Everything here looks at one window only, so the answer never depends on other PEs.
 */

/** An explicit read that has not been performed. A faulted access has no explicit effect. */
export function readPending(w: Window, i: number): boolean {
  return (w.infos[i] as EffectInfo).reads && (flagsOf(w, i) & (FLAG.read | FLAG.faulted)) === 0;
}

/** An explicit write that has not been performed. */
export function writePending(w: Window, i: number): boolean {
  return (
    (w.infos[i] as EffectInfo).writes &&
    (flagsOf(w, i) & (FLAG.written | FLAG.noWrite | FLAG.faulted)) === 0
  );
}

/** Hardware has not yet updated the descriptor for an access. */
export function updatePending(w: Window, i: number): boolean {
  return (flagsOf(w, i) & FLAG.updatePending) !== 0;
}

/**
 * May the hardware update of instance `j` happen now? Like a write it is never speculative: branches
 * are resolved, earlier accesses translated (dob, lmws). Barriers other than context synchronisation
 * do not hold it back: implicit accesses are not in their targets.
 */
export function mayUpdate(w: Window, j: number): boolean {
  for (let i = 0; i < j; i += 1) {
    const info = w.infos[i] as EffectInfo;
    if (info.synchronises && !fired(w, i)) return false;
    const waits = !w.faults?.has('speculative-dirty');
    if (info.kind === KIND.branch && !fired(w, i) && waits) return false;
    if (!(info.reads || info.writes)) continue;
    if (translationPending(w, i)) return false;
    if (!info.translated && get(w, i, AT.cell) < 0) return false;
    if (!addressPicksResolved(w, info)) return false;
  }
  return addressPicksResolved(w, w.infos[j] as EffectInfo);
}

function accessPending(w: Window, i: number): boolean {
  return readPending(w, i) || writePending(w, i);
}

/** The translation of an access has not been done. */
export function translationPending(w: Window, i: number): boolean {
  return (w.infos[i] as EffectInfo).translated && (flagsOf(w, i) & FLAG.translated) === 0;
}

function fired(w: Window, i: number): boolean {
  return (flagsOf(w, i) & FLAG.fired) !== 0;
}

function isDc(info: EffectInfo): boolean {
  return info.kind === KIND.dc;
}

/** DSB-ob and IFB-ob: an unfinished DSB, ISB or exception boundary holds back what follows. */
function behindSynchronisation(
  info: EffectInfo,
  w: Window,
  i: number,
  dsbCounts: boolean,
): boolean {
  if (info.synchronises) return !fired(w, i);
  return dsbCounts && info.kind === KIND.dsb && !fired(w, i);
}

/**
 * Whether an earlier access still holds back a write behind a barrier: also when it has been
 * performed on what a select or a compare only promises (pick-lob: pick-dep; lob; [Exp & W]).
 */
function holdsBackWrite(w: Window, k: number): boolean {
  if (accessPending(w, k)) return true;
  const info = w.infos[k] as EffectInfo;
  if (!(info.reads || info.writes)) return false;
  return !picksResolved(w, info) || !resolved(w, [], [k + w.results.length]);
}

/**
 * DMB, acquire, lock and announcement between instance `j` and what is before it (bob). `what` is
 * what kind of event of `j` asks. Announcements stand for hand-over between agents, which software
 * orders with locks, so for accesses they act as a full DMB; cache maintenance passes them.
 */
function behindBarrier(w: Window, j: number, what: 'read' | 'write' | 'fault' | 'dc'): boolean {
  for (let i = 0; i < j; i += 1) {
    const info = w.infos[i] as EffectInfo;
    if (info.kind === KIND.dmb || info.kind === KIND.announce) {
      if (info.kind === KIND.dmb && w.faults?.has('dmb-ignored')) continue;
      const kindCounts = info.effect.kind === 'dmb' && !w.faults?.has('dmb-kinds-ignored');
      const limit = kindCounts ? info.effect.limit : 'full';
      if (info.kind === KIND.announce && !fired(w, i)) return true;
      for (let k = 0; k < i; k += 1) {
        const before = w.infos[k] as EffectInfo;
        if (limit === 'full' && accessPending(w, k)) return true;
        if (limit === 'full' && info.kind === KIND.dmb && isDc(before) && !fired(w, k)) return true;
        if (limit === 'full' && what === 'write' && holdsBackWrite(w, k)) return true;
        if (limit === 'ld' && what !== 'dc' && readPending(w, k) && !before.noReturn) return true;
        if (limit === 'st' && (what === 'write' || what === 'fault') && writePending(w, k))
          return true;
      }
    } else if (what !== 'dc') {
      if (info.kind === KIND.lock && !fired(w, i)) return true;
      const acquires = info.acquire && !w.faults?.has('acquire-ignored');
      if (acquires && (what === 'write' ? holdsBackWrite(w, i) : readPending(w, i))) return true;
      // amo with acquire and release: both halves are before what follows.
      if (info.kind === KIND.rmw && info.acquireRcsc && info.release && writePending(w, i))
        return true;
    }
  }
  return false;
}

/** May the translation of instance `j` happen now? Faults under ETS have a condition of their own. */
export function mayTranslate(w: Window, j: number, ets: 'none' | 'ets2' | 'ets3'): boolean {
  const dsbCounts = ets !== 'none' || w.faults?.has('dsb-orders-walks') === true;
  for (let i = 0; i < j; i += 1) {
    const info = w.infos[i] as EffectInfo;
    if (info.synchronises && w.faults?.has('isb-ignores-walks')) continue;
    if (behindSynchronisation(info, w, i, dsbCounts)) return false;
    if (info.kind === KIND.context && !fired(w, i) && w.faults?.has('context-at-once'))
      return false;
  }
  if (w.faults === undefined) return true;
  if (behindProgramOrder(w, j, false)) return false;
  if (w.faults.has('dmb-orders-walks') && behindBarrier(w, j, 'read')) return false;
  return !w.faults.has('walk-with-access') || mayAccess(w, j);
}

/** For the fault `walk-with-access`: whether the access itself could happen next. */
function mayAccess(w: Window, j: number): boolean {
  return (w.infos[j] as EffectInfo).reads ? mayRead(w, j) : mayWrite(w, j);
}

/**
 * ets-ob: under ETS2 a translation that ends in a Translation or Access-flag fault comes after all
 * explicit accesses before it (R_NNFPF, unchecked pairing); under ETS3 every MMU fault does.
 */
export function mayFaultUnderEts(
  w: Window,
  j: number,
  ets: 'none' | 'ets2' | 'ets3',
  uncacheable: boolean,
): boolean {
  if (ets === 'none' || (ets === 'ets2' && !uncacheable)) return true;
  for (let i = 0; i < j; i += 1) if (accessPending(w, i)) return false;
  return true;
}

/** May the fault event of instance `j` happen now? Control dependencies do not order it. */
export function mayRaiseFault(w: Window, j: number): boolean {
  for (let i = 0; i < j; i += 1) {
    if (behindSynchronisation(w.infos[i] as EffectInfo, w, i, true)) return false;
  }
  return w.faults?.has('faults-ignore-barriers') === true || !behindBarrier(w, j, 'fault');
}

/** May the explicit read of instance `j` be performed now? */
export function mayRead(w: Window, j: number): boolean {
  const self = w.infos[j] as EffectInfo;
  if (w.faults !== undefined && behindProgramOrder(w, j, false)) return false;
  for (let i = 0; i < j; i += 1) {
    const info = w.infos[i] as EffectInfo;
    if (behindSynchronisation(info, w, i, true)) return false;
    // bob: a release is before a later acquire (not AcquirePC).
    if (self.acquireRcsc && (info.release || info.kind === KIND.unlock)) {
      if (info.kind === KIND.unlock ? !fired(w, i) : writePending(w, i)) return false;
    }
    // po-scl-ob: maintenance of the same line.
    if (isDc(info) && !fired(w, i) && sameLine(w, i, j)) return false;
  }
  return !behindBarrier(w, j, 'read');
}

function sameLine(w: Window, i: number, j: number): boolean {
  const a = get(w, i, AT.cell);
  const b = get(w, j, AT.cell);
  return a < 0 || b < 0 || a === b;
}

/**
 * Pick dependencies: what a select chose is not known for sure before the select is resolved, nor
 * what a load took from a compare-and-swap that has not compared yet.
 */
function resolved(
  w: Window,
  selects: readonly number[],
  operandSources: readonly number[],
): boolean {
  for (const seq of selects) {
    const i = indexOf(w, seq);
    if (i >= 0 && i < w.count && !fired(w, i)) return false;
  }
  for (const seq of operandSources) {
    const i = indexOf(w, seq);
    if (i < 0 || i >= w.count) continue;
    const from = get(w, i, AT.source) - 1;
    if (from < 0) continue;
    const store = w.infos[from] as EffectInfo;
    if (store.effect.kind === 'rmw' && store.effect.compare !== undefined) {
      if (readPending(w, from)) return false;
      for (const source of store.operandSources) {
        const at = indexOf(w, source);
        if (at >= 0 && readPending(w, at)) return false;
      }
    }
    // What a store was picked to write is picked in the load it is forwarded to (lmrs in pick-dtrm).
    if (!resolved(w, store.pickedBy, store.operandSources)) return false;
  }
  return true;
}

/** Pick dependencies of the address and the operands. */
export function picksResolved(w: Window, info: EffectInfo): boolean {
  return resolved(w, info.pickedBy, info.operandSources);
}

/** Pick dependencies of the address alone. */
function addressPicksResolved(w: Window, info: EffectInfo): boolean {
  return resolved(w, info.addressPickedBy, info.addressSources);
}

/** What every explicit write, lock and hardware update waits for (dob, lmws, bob). */
function mayWriteAt(w: Window, j: number, releases: boolean): boolean {
  const cell = get(w, j, AT.cell);
  const { faults } = w;
  const hasAddress = (w.infos[j] as EffectInfo).place !== null;
  if (faults !== undefined && behindProgramOrder(w, j, true)) return false;
  for (let i = 0; i < j; i += 1) {
    const info = w.infos[i] as EffectInfo;
    if (behindSynchronisation(info, w, i, true)) return false;
    if (info.kind === KIND.branch && !fired(w, i) && !faults?.has('stores-pass-branches'))
      return false;
    if (info.kind === KIND.choose && !fired(w, i)) return false;
    const access = info.reads || info.writes;
    if (access) {
      // addr; [Exp & M]; po; [Exp & W] and [T]; tr-ib; [Exp & M]; po; [Exp & W].
      if (translationPending(w, i) && !faults?.has('stores-pass-walks')) return false;
      const passesAddress = faults?.has('stores-pass-addresses') === true;
      if (!info.translated && get(w, i, AT.cell) < 0 && !passesAddress) return false;
      if (!addressPicksResolved(w, info)) return false;
      if (accessPending(w, i) && (releases || get(w, i, AT.cell) === cell)) return false;
    }
    if (hasAddress && isDc(info) && !fired(w, i) && sameLine(w, i, j)) return false;
    if (releases && (info.kind === KIND.lock || info.kind === KIND.unlock) && !fired(w, i))
      return false;
  }
  return !behindBarrier(w, j, 'write');
}

/** May the explicit write of instance `j` be performed now, as far as its own PE is concerned? */
export function mayWrite(w: Window, j: number): boolean {
  const self = w.infos[j] as EffectInfo;
  if (self.reads && readPending(w, j)) return false;
  if (!picksResolved(w, self)) return false;
  return mayWriteAt(w, j, self.release && !w.faults?.has('release-ignored'));
}

/**
 * May a detached choice be made now? Whatever comes after it cannot do anything either before the
 * barriers in front have completed, so nothing is lost when it waits for them, and the search has fewer
 * windows to tell apart.
 */
function mayDecide(w: Window, j: number): boolean {
  for (let i = 0; i < j; i += 1) {
    if (behindSynchronisation(w.infos[i] as EffectInfo, w, i, true)) return false;
  }
  return true;
}

/**
 * May a barrier, TLBI, maintenance or other single-event effect of instance `j` happen now? The
 * completion of earlier TLBIs is part of what a DSB waits for.
 */
export function mayFire(w: Window, j: number): boolean {
  const self = w.infos[j] as EffectInfo;
  const effect = self.effect;
  if (!picksResolved(w, self)) return false;
  switch (effect.kind) {
    case 'dsb':
      for (let i = 0; i < j; i += 1) {
        const info = w.infos[i] as EffectInfo;
        if (behindSynchronisation(info, w, i, true)) return false;
        if (
          effect.limit !== 'full' &&
          info.kind === KIND.tlbi &&
          w.faults?.has('dsb-ignores-kind')
        ) {
          if ((flagsOf(w, i) & FLAG.complete) === 0) return false;
        }
        if (effect.limit === 'full') {
          if (accessPending(w, i) || translationPending(w, i)) return false;
          if (updatePending(w, i) && !w.faults?.has('dsb-ignores-updates')) return false;
          // With nXS how complete it is depends on other PEs: `isCompleteButForXs`.
          const seesComplete = effect.nXS ? fired(w, i) : dsbSeesComplete(w, i, effect.domain);
          if (info.kind === KIND.tlbi && !seesComplete) return false;
          if (!fired(w, i) && isOtherEffect(info)) return false;
        } else if (effect.limit === 'ld') {
          if (readPending(w, i) && !info.noReturn) return false;
        } else if (writePending(w, i) || (info.kind === KIND.unlock && !fired(w, i))) return false;
      }
      return true;
    case 'isb':
    case 'exception-entry':
    case 'exception-return':
      for (let i = 0; i < j; i += 1) {
        const info = w.infos[i] as EffectInfo;
        if (behindSynchronisation(info, w, i, true)) return false;
        if (info.kind === KIND.branch && !fired(w, i)) return false;
        if (info.reads || info.writes) {
          if (translationPending(w, i)) return false;
          if (!info.translated && get(w, i, AT.cell) < 0) return false;
          if (!addressPicksResolved(w, info)) return false;
        }
        if (info.kind === KIND.context && !fired(w, i)) return false;
        // A TLBI executes at the Exception level it is written for; only its completion may come later.
        if (effect.kind !== 'isb' && info.kind === KIND.tlbi && !fired(w, i)) return false;
      }
      return true;
    case 'tlbi':
    case 'ic':
      for (let i = 0; i < j; i += 1) {
        const info = w.infos[i] as EffectInfo;
        if (behindSynchronisation(info, w, i, true)) return false;
        if ((info.kind === KIND.branch || info.kind === KIND.choose) && !fired(w, i)) return false;
        if (writePending(w, i) && w.faults?.has('tlbi-waits-for-stores')) return false;
        // System-register writes are in program order with what names their context.
        if (info.kind === KIND.context && !fired(w, i)) return false;
      }
      return true;
    case 'dc':
      for (let i = 0; i < j; i += 1) {
        const info = w.infos[i] as EffectInfo;
        if (behindSynchronisation(info, w, i, true)) return false;
        if (info.kind === KIND.branch && !fired(w, i)) return false;
        if (accessPending(w, i) && sameLine(w, i, j)) return false;
        if (isDc(info) && !fired(w, i) && sameLine(w, i, j)) return false;
      }
      return !behindBarrier(w, j, 'dc');
    case 'context':
      // A direct write must not be seen by instructions before it.
      for (let i = 0; i < j; i += 1) {
        const info = w.infos[i] as EffectInfo;
        if (behindSynchronisation(info, w, i, true)) return false;
        if (translationPending(w, i)) return false;
        if (!fired(w, i) && (info.kind === KIND.context || info.kind === KIND.tlbi)) return false;
        if (info.kind === KIND.branch && !fired(w, i)) return false;
      }
      return true;
    case 'lock':
      for (let i = 0; i < j; i += 1) {
        const before = (w.infos[i] as EffectInfo).effect;
        if (before.kind === 'unlock' && before.lock === effect.lock && !fired(w, i)) return false;
      }
      return mayWriteAt(w, j, false);
    case 'unlock':
    case 'announce':
    case 'free-page':
      if (!mayWriteAt(w, j, true)) return false;
      for (let i = 0; i < j; i += 1) {
        const info = w.infos[i] as EffectInfo;
        // A store-release does not order cache maintenance, only DMB and DSB do: Arm ARM, "Ordering
        // and completion of data and instruction cache instructions".
        if (isDc(info) && effect.kind !== 'free-page') continue;
        if (!fired(w, i) && isOtherEffect(info)) return false;
      }
      return true;
    case 'choose':
      return effect.detached === true ? mayDecide(w, j) : mayWriteAt(w, j, false);
    case 'alloc-page':
      return mayWriteAt(w, j, false);
    case 'branch':
    case 'select':
    case 'dmb':
    case 'load':
    case 'store':
    case 'rmw':
    case 'fetch':
      return false;
  }
}

/** Effects that are one event: not accesses, DMBs (a predicate), or barriers handled elsewhere. */
function isOtherEffect(info: EffectInfo): boolean {
  return (
    !(info.reads || info.writes) &&
    info.kind !== KIND.dmb &&
    info.kind !== KIND.branch &&
    info.kind !== KIND.select
  );
}

/**
 * Whether a full DSB of this domain may take an earlier TLBI for complete: only a DSB whose domain
 * covers what the TLBI reaches waits for it (R_PSMWS, R_YNJCP); all wait for its issue.
 */
function dsbSeesComplete(w: Window, i: number, domain: BarrierDomain): boolean {
  if (w.faults?.has('dsb-ignores-tlbi')) return fired(w, i);
  const waits = w.faults?.has('dsb-ignores-domain') === true || coversTlbi(w, i, domain);
  return waits ? (flagsOf(w, i) & FLAG.complete) !== 0 : fired(w, i);
}

/** Whether the domain of a DSB covers what an earlier TLBI of its PE reaches. */
export function coversTlbi(w: Window, i: number, domain: BarrierDomain): boolean {
  const scope = (w.infos[i] as EffectInfo).tlbi?.scope ?? 'local';
  if (scope === 'local') return true;
  return scope === 'inner' ? domain !== 'nsh' : domain === 'osh' || domain === 'sy';
}
