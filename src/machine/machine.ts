import type { Answer, Effect } from '../program/effect.ts';
import { announce } from './announcements.ts';
import {
  bypassingWrite,
  cacheableWrite,
  cleanedAndInvalidated,
  createDraft,
  LEDGER_SLOTS,
  markInFlight,
  writtenBack,
  type Draft,
  type State,
} from './draft.ts';
import { KIND, type EffectInfo, type ThreadEffects } from './effect-info.ts';
import { NO_FACTS, type Fact } from './facts.ts';
import { deliver, issueTlbi } from './invalidation.ts';
import { createTlbWatch } from './tlb-watch.ts';
import {
  mayFaultUnderEts,
  mayFire,
  mayRaiseFault,
  mayRead,
  mayTranslate,
  mayUpdate,
  mayWrite,
  readPending,
  translationPending,
  updatePending,
  writePending,
} from './local-order.ts';
import { isLine, plainSlot } from './memory.ts';
import type { MachineSetup } from './setup.ts';
import { MARK, MARK_BITS } from './translation-entry.ts';
import {
  addFlags,
  AT,
  clearFlags,
  FLAG,
  flagsOf,
  get,
  HEAD_WAITS,
  MARK_SHIFT,
  set,
  type Window,
} from './window.ts';

/** What kind of event a transition is. */
export const EVENT = {
  /** The T event: choose a translation. */
  translate: 0,
  /** The fault event of a faulting access. */
  fault: 1,
  /** The explicit read. */
  read: 2,
  /** The explicit write. */
  write: 3,
  /** Barrier completes, TLBI issues, maintenance, lock, free, announcement ... */
  fire: 4,
  /** A TLBI takes effect at one PE. */
  deliver: 5,
  /** A dirty line is written back. */
  writeBack: 6,
  /** A branch is guessed. */
  guess: 7,
  /** Hardware sets the access flag or dirty state in a descriptor. */
  update: 8,
} as const;

/** One step of the machine: an event on the line. */
export interface Transition {
  /**
   * PE that the event belongs to; for `deliver` the PE it happens at; -1 for `writeBack` and for an
   * `update` on behalf of no instruction.
   */
  readonly pe: number;
  /** Index in the window; for `deliver` the ledger slot; where `pe` is -1 the cell. */
  readonly index: number;
  readonly event: number;
  /** Which choice, where there are several; unique among those of this event. */
  readonly choice: number;
  readonly next: State;
  readonly facts: readonly Fact[];
}

/** A place at which a state may have transitions. */
export interface Site {
  /** As in `Transition`. */
  readonly pe: number;
  readonly index: number;
  readonly kind: 'instance' | 'deliver' | 'write-back' | 'update';
}

/** Why a state has no transitions. */
export type End =
  /** All threads have ended. */
  | 'finished'
  /** Some PE waits for a lock that is held, and nothing else can happen. */
  | 'deadlock'
  /** The order of events chosen so far cannot be completed coherently: not a run of the machine. */
  | 'impossible';

/** The machine of one setup. The step function is pure; what it caches is invisible. */
export interface Machine {
  readonly setup: MachineSetup;
  readonly initial: State;
  /** Facts that hold in the initial state already. */
  readonly initialFacts: readonly Fact[];
  /** All transitions of a state, in a fixed order. */
  transitions(state: State): readonly Transition[];
  /**
   * Where something might happen in this state, without working out what: an instance that is not
   * done, a pending delivery, a dirty line, hardware that may set access flags by itself. For walks
   * that take one step of a state and not all.
   */
  sites(state: State): readonly Site[];
  /** The transitions of one site; `transitions` is those of all sites, in the order of `sites`. */
  at(state: State, site: Site): readonly Transition[];
  /**
   * Transitions that may be explored alone from this state without losing a behaviour that a rule or
   * an outcome can see, or an empty list when there are none: see docs/model.md, "reduction".
   */
  eager(state: State): readonly Transition[];
  /** Why a state without transitions is at its end. */
  end(state: State): End;
  /** For reports and outcome sets: reads only. */
  readonly inspect: Draft;
}

/** Builds the machine of a setup. */
export function createMachine(setup: MachineSetup): Machine {
  const draft = createDraft(setup);
  const { memory, tlbs, threads } = draft;
  const { features } = setup.translation;
  const watch = createTlbWatch(draft, setup.translation, setup.watchedVas);
  const broken = setup.faults;
  const ets = broken?.has('ets-ignored') ? 'none' : features.ets;
  const peCount = threads.length;
  const managesAccessFlags =
    !broken?.has('no-spontaneous-af') &&
    setup.threads.some(
      ({ context }) => context.stage1 !== null && context.stage1.hardwareUpdate !== 'none',
    );
  const out: Transition[] = [];
  let facts: Fact[] = [];

  function emit(pe: number, index: number, event: number, choice: number): void {
    if (!draft.settle()) return;
    out.push({
      pe,
      index,
      event,
      choice,
      next: draft.commit(),
      facts: facts.length === 0 ? NO_FACTS : facts,
    });
  }

  function begin(state: State): void {
    draft.load(state);
    facts = [];
  }

  /** The thread goes on with an answer, where it was waiting for one. */
  function answer(pe: number, w: Window, index: number, with_: Answer): void {
    if (w.head !== HEAD_WAITS || index !== w.count - 1) return;
    w.head = (threads[pe] as ThreadEffects).next(get(w, index, AT.node), with_);
    w.dirty = true;
  }

  function pageFact(pa: bigint): ReturnType<typeof draft.ghost.page> | null {
    const ghost = draft.touchGhost();
    const page = ghost.pageOf(pa);
    return page < 0 ? null : ghost.page(page);
  }

  function noteAccess(pe: number, w: Window, index: number): void {
    const result = get(w, index, AT.result);
    if (result < 0) return;
    const translated = tlbs.results.item(result);
    const marks = flagsOf(w, index) >> MARK_SHIFT;
    const page = pageFact(translated.pa);
    const ordinary =
      marks === 0 &&
      (page === null || (page.use === 'guest' && !page.reused && page.vmid === translated.vmid));
    if (ordinary) return;
    facts.push({
      kind: 'access',
      pe,
      vmid: translated.vmid,
      access: (w.infos[index] as EffectInfo).access,
      pa: translated.pa,
      ipa: translated.ipa,
      stale: (marks & MARK.stale) !== 0,
      dead: (marks & MARK.dead) !== 0,
      rightRevoked:
        (marks & MARK.writeRevoked) !== 0 && (w.infos[index] as EffectInfo).access === 'write',
      overdue: (flagsOf(w, index) & FLAG.overdue) !== 0,
      page,
    });
  }

  /** A write becomes visible: to all observers at once, walkers included. */
  function makeVisible(writer: number, index: number, cell: number, slot: number): void {
    draft.setSlot(cell, slot);
    for (let pe = 0; pe < peCount; pe += 1) {
      const w = draft.window(pe);
      for (let i = 0; i < w.count; i += 1) {
        if (get(w, i, AT.cell) !== cell || (flagsOf(w, i) & FLAG.read) === 0) continue;
        const source = get(w, i, AT.source);
        if (source === 0) {
          if (pe !== writer || i !== index) addFlags(w, i, FLAG.superseded);
        } else if (pe === writer && source - 1 === index) set(w, i, AT.source, 0);
      }
      if (!isLine(slot)) markInFlight(draft, pe, cell);
    }
    if (isLine(slot)) {
      for (let pe = 0; pe < peCount; pe += 1) draft.closeIcache(pe);
      return;
    }
    for (let pe = 0; pe < peCount; pe += 1) {
      const before = draft.tlb(pe);
      draft.setTlb(pe, tlbs.markStale(before, cell));
      draft.closeTlb(pe);
      watch.look(pe, before, facts);
    }
  }

  /**
   * A dirty line reaches the PoC. One observer of the PoC sees its values in order (CoRR), so reads
   * past the cache that took the older value are out of date from here on.
   */
  function changePoc(cell: number, before: number, after: number): void {
    draft.setSlot(cell, after);
    if (!isLine(before) || memory.line(before).poc === memory.line(after).poc) return;
    for (let pe = 0; pe < peCount; pe += 1) {
      const w = draft.window(pe);
      for (let i = 0; i < w.count; i += 1) {
        if (get(w, i, AT.cell) !== cell || (flagsOf(w, i) & FLAG.read) === 0) continue;
        const result = get(w, i, AT.result);
        if (result >= 0 && tlbs.results.item(result).bypassesCache) addFlags(w, i, FLAG.superseded);
      }
    }
  }

  function translations(state: State, pe: number, w: Window, j: number): void {
    const info = w.infos[j] as EffectInfo;
    if (!mayTranslate(w, j, ets)) return;
    const va = draft.address(pe, j);
    if (va === undefined) return;
    const contexts = [draft.context(pe)];
    if (draft.pendingContext(pe) !== 0) contexts.push(draft.pendingContext(pe));
    const set_ = draft.tlb(pe);
    const memoryIds = [draft.memoryId(), ...memoryWithOwnStores(pe, w, j)];
    for (const context of contexts)
      for (const memoryId of memoryIds) {
        const c = tlbs.contexts.context(context);
        if (c.el === 2 || (c.stage1 === null && c.stage2 === null)) {
          // No translation under test: the address is physical.
          begin(state);
          const v = draft.window(pe);
          set(v, j, AT.cell, memory.cellOf(va));
          addFlags(v, j, FLAG.translated);
          emit(pe, j, EVENT.translate, -1);
          continue;
        }
        for (const choice of tlbs.translate(
          set_,
          memoryId,
          context,
          va,
          info.access,
          info.unprivileged || c.el === 0,
        )) {
          begin(state);
          const v = draft.window(pe);
          const result = tlbs.results.item(choice.result);
          if (result.fault !== null) {
            if (!mayFaultUnderEts(v, j, ets, result.uncacheableFault)) continue;
            if (hasLeftMark(v, j)) continue;
            v.count = j + 1;
            v.head = (threads[pe] as ThreadEffects).next(get(v, j, AT.node), {
              kind: 'fault',
              fault: result.fault,
            });
            addFlags(v, j, FLAG.faulted);
            facts.push({
              kind: 'fault-taken',
              pe,
              cause: result.fault.cause,
              stage: result.fault.stage,
              address: result.fault.address,
            });
          } else set(v, j, AT.cell, result.cell);
          set(v, j, AT.result, choice.result);
          set(v, j, AT.translationObligations, 0);
          addFlags(
            v,
            j,
            FLAG.translated |
              (choice.marks << MARK_SHIFT) |
              (result.update === null || broken?.has('no-hardware-update')
                ? 0
                : FLAG.updatePending),
          );
          emit(pe, j, EVENT.translate, (choice.result << MARK_BITS) | choice.marks);
        }
      }
  }

  /**
   * Whether an instance after `j` has already done something that cannot be undone: then `j` cannot
   * fault any more in this run.
   */
  function hasLeftMark(w: Window, j: number): boolean {
    for (let i = j + 1; i < w.count; i += 1) {
      const { kind } = w.infos[i] as EffectInfo;
      const irrevocable = kind === KIND.tlbi || kind === KIND.ic || kind === KIND.dc;
      if (irrevocable && (flagsOf(w, i) & FLAG.fired) !== 0) return true;
    }
    return false;
  }

  /** For the fault `store-forwards-to-walk`: memory after the PE's earlier stores. */
  function memoryWithOwnStores(pe: number, w: Window, j: number): readonly number[] {
    if (!broken?.has('store-forwards-to-walk')) return [];
    let id = draft.memoryId();
    for (let i = 0; i < j; i += 1) {
      const data = (w.infos[i] as EffectInfo).data;
      const cell = get(w, i, AT.cell);
      const value = data === null ? undefined : draft.evaluate(pe, data);
      if (cell < 0 || value === undefined || !writePending(w, i)) continue;
      id = memory.withSlot(id, cell, plainSlot(memory.valueId(value)));
    }
    return id === draft.memoryId() ? [] : [id];
  }

  /** A later read of the location took something older than what `j` would read now. */
  function readWouldBeIncoherent(w: Window, j: number, cell: number): boolean {
    if (broken?.has('loads-go-back')) return false;
    for (let k = j + 1; k < w.count; k += 1) {
      if (get(w, k, AT.cell) !== cell) continue;
      const flags = flagsOf(w, k);
      if ((flags & FLAG.read) !== 0 && (flags & FLAG.superseded) !== 0) return true;
    }
    return false;
  }

  function reads(state: State, pe: number, w: Window, j: number): void {
    const info = w.infos[j] as EffectInfo;
    const flags = flagsOf(w, j);
    const cell = get(w, j, AT.cell);
    if (cell < 0 || (info.translated && (flags & FLAG.translated) === 0)) return;
    if (!mayRead(w, j)) return;
    const isAcquire = info.acquire;
    // Forward from the youngest earlier store to the location that is not yet visible.
    for (let i = j - 1; i >= 0; i -= 1) {
      if (!writePending(w, i) || get(w, i, AT.cell) !== cell) continue;
      if (broken?.has('no-forwarding')) return;
      const from = w.infos[i] as EffectInfo;
      // aob: an acquire comes after the read of the atomic whose write it takes its value from.
      const forwards = !isAcquire || atomicReadDone(w, i);
      if (from.kind === KIND.rmw) {
        if (forwards) forwardFromAtomic(state, pe, w, i, j);
        // A compare that is going to fail writes nothing: the load may look past it.
        if (from.effect.kind === 'rmw' && from.effect.compare !== undefined) {
          draft.load(state);
          draft.window(pe);
          continue;
        }
        return;
      }
      if (!forwards || from.data === null) return;
      if (from.translated && (flagsOf(w, i) & FLAG.translated) === 0) return;
      const value = draft.evaluate(pe, from.data);
      if (value === undefined) return;
      performRead(state, pe, j, memory.valueId(value), i + 1, -1);
      return;
    }
    if (readWouldBeIncoherent(w, j, cell)) return;
    const fetches = info.kind === KIND.fetch && !broken?.has('fetch-sees-memory');
    if (fetches && setup.instructionCache === 'modelled') {
      for (const value of draft.fetchable(pe, cell)) performRead(state, pe, j, value, 0, value);
      return;
    }
    const slot = draft.slot(cell);
    if (!isLine(slot)) {
      performRead(state, pe, j, slot >> 1, 0, -1);
      return;
    }
    const line = memory.line(slot);
    const result = get(w, j, AT.result);
    const bypasses = result >= 0 && tlbs.results.item(result).bypassesCache;
    if (bypasses && !broken?.has('bypass-ignored')) {
      performRead(state, pe, j, line.poc, 0, -1);
    } else if (line.dirty >= 0) performRead(state, pe, j, line.dirty, 0, -1);
    else for (const value of line.clean) performRead(state, pe, j, value, 0, value);
  }

  function isExclusive(info: EffectInfo): boolean {
    return info.effect.kind === 'store' && info.effect.exclusive;
  }

  /** The read half of an atomic, or of the pair that a store-exclusive closes; plain stores have none. */
  function atomicReadDone(w: Window, i: number): boolean {
    const from = w.infos[i] as EffectInfo;
    if (from.kind === KIND.rmw) return !readPending(w, i);
    if (!isExclusive(from)) return true;
    for (let k = i - 1; k >= 0; k -= 1) {
      const { effect } = w.infos[k] as EffectInfo;
      if (effect.kind === 'load' && effect.exclusive) return !readPending(w, k);
    }
    return true;
  }

  /** A load may take what an earlier atomic of its PE is going to write, once that is known. */
  function forwardFromAtomic(state: State, pe: number, w: Window, i: number, j: number): void {
    const { effect } = w.infos[i] as EffectInfo;
    const guessed =
      effect.kind === 'rmw' && effect.written !== undefined
        ? draft.evaluate(pe, effect.written)
        : undefined;
    const value = guessed ?? (readPending(w, i) ? undefined : dataOf(pe, w, i));
    if (value === undefined || value === null) return;
    performRead(state, pe, j, memory.valueId(value), i + 1, -1);
  }

  function performRead(
    state: State,
    pe: number,
    j: number,
    fullValueId: number,
    source: number,
    choice: number,
  ): void {
    begin(state);
    const w = draft.window(pe);
    const info = w.infos[j] as EffectInfo;
    const valueId = narrowed(info.effect, fullValueId);
    set(w, j, AT.value, valueId);
    set(w, j, AT.source, source);
    addFlags(w, j, FLAG.read);
    if (!info.writes) set(w, j, AT.obligations, 0);
    noteAccess(pe, w, j);
    noteContent(pe, w, j, valueId);
    noteFetch(pe, w, j, valueId);
    if (info.kind !== KIND.rmw) {
      const wanted = info.stops;
      answer(pe, w, j, wanted ? { kind: 'value', value: memory.value(valueId) } : { kind: 'done' });
    }
    emit(pe, j, EVENT.read, choice);
  }

  /** The bytes an access is for. */
  function narrowed(effect: Effect, valueId: number): number {
    if (!('bytes' in effect) || effect.bytes === 8) return valueId;
    return memory.valueId(BigInt.asUintN(effect.bytes * 8, memory.value(valueId)));
  }

  function noteContent(pe: number, w: Window, j: number, valueId: number): void {
    const { effect } = w.infos[j] as EffectInfo;
    if (effect.kind !== 'load' || effect.at.kind !== 'physical') return;
    const cell = get(w, j, AT.cell);
    if (!isLine(draft.slot(cell))) return;
    const last = draft.touchGhost().lastStored(cell);
    if (last < 0) return;
    facts.push({
      kind: 'content-read',
      pe,
      pa: memory.addressOf(cell),
      value: memory.value(valueId),
      lastStored: memory.value(last),
    });
  }

  function noteFetch(pe: number, w: Window, j: number, valueId: number): void {
    if ((w.infos[j] as EffectInfo).kind !== KIND.fetch) return;
    const cell = get(w, j, AT.cell);
    const last = draft.touchGhost().lastStoredByHost(cell);
    if (last < 0 || last === valueId) return;
    facts.push({
      kind: 'stale-fetch',
      pe,
      pa: memory.addressOf(cell),
      value: memory.value(valueId),
      lastStored: memory.value(last),
    });
  }

  /** Another PE is between the halves of an atomic on the location. */
  function lockedByAtomic(pe: number, cell: number): boolean {
    if (broken?.has('split-atomics')) return false;
    for (let other = 0; other < peCount; other += 1) {
      if (other === pe) continue;
      const w = draft.window(other);
      for (let i = 0; i < w.count; i += 1) {
        const info = w.infos[i] as EffectInfo;
        if (info.effect.kind !== 'rmw' || get(w, i, AT.cell) !== cell) continue;
        if (info.effect.compare !== undefined) continue;
        if ((flagsOf(w, i) & FLAG.read) !== 0 && writePending(w, i) && get(w, i, AT.source) === 0) {
          return true;
        }
      }
    }
    return false;
  }

  /** The value a write would store; `null`: nothing; undefined: not known yet. */
  function dataOf(pe: number, w: Window, j: number): bigint | null | undefined {
    const { effect, data } = w.infos[j] as EffectInfo;
    if (data !== null) return draft.evaluate(pe, data);
    if (effect.kind !== 'rmw') return undefined;
    if (effect.compare !== undefined) {
      const compared = draft.evaluate(pe, effect.compare);
      if (compared === undefined) return undefined;
      if (compared !== memory.value(get(w, j, AT.value))) return null;
    }
    const operands: bigint[] = [];
    for (const expr of effect.operands) {
      const value = draft.evaluate(pe, expr);
      if (value === undefined) return undefined;
      operands.push(value);
    }
    return effect.update(memory.value(get(w, j, AT.value)), operands);
  }

  function writes(state: State, pe: number, w: Window, j: number): void {
    const info = w.infos[j] as EffectInfo;
    const cell = get(w, j, AT.cell);
    if (cell < 0 || (info.translated && (flagsOf(w, j) & FLAG.translated) === 0)) return;
    if (!mayWrite(w, j)) return;
    const data = dataOf(pe, w, j);
    if (data === undefined) return;
    if (isExclusive(info)) {
      failExclusive(state, pe, w, j);
      if (!mayStoreExclusively(w, j, cell)) return;
    }
    if (data !== null) {
      for (let k = j + 1; k < w.count; k += 1) {
        if (get(w, k, AT.cell) !== cell || (flagsOf(w, k) & FLAG.read) === 0) continue;
        const source = get(w, k, AT.source);
        if ((source === 0 || source - 1 < j) && !broken?.has('stores-after-own-loads')) return;
      }
      if (lockedByAtomic(pe, cell)) return;
      // A compare-and-swap that writes must have read what is still the last write.
      const { effect } = info;
      const conditional = effect.kind === 'rmw' && effect.compare !== undefined;
      if (conditional && (flagsOf(w, j) & FLAG.superseded) !== 0) return;
    } else if (somebodyTookValueOf(w, j)) return;
    // A compare that fails may or may not have set the dirty state.
    const mayForget = data === null && updatePending(w, j) ? [false, true] : [false];
    for (const forget of mayForget) performWrite(state, pe, j, cell, data, forget);
  }

  function somebodyTookValueOf(w: Window, j: number): boolean {
    for (let k = j + 1; k < w.count; k += 1) if (get(w, k, AT.source) === j + 1) return true;
    return false;
  }

  function performWrite(
    state: State,
    pe: number,
    j: number,
    cell: number,
    data: bigint | null,
    forgetUpdate: boolean,
  ): void {
    begin(state);
    const v = draft.window(pe);
    const info = v.infos[j] as EffectInfo;
    set(v, j, AT.obligations, 0);
    if (forgetUpdate) clearFlags(v, j, FLAG.updatePending);
    if (data === null) addFlags(v, j, FLAG.noWrite);
    else {
      const valueId = memory.valueId(data);
      addFlags(v, j, FLAG.written);
      if (info.kind === KIND.store) set(v, j, AT.value, valueId);
      noteAccess(pe, v, j);
      noteTableWrite(pe, v, j);
      const result = get(v, j, AT.result);
      const bypasses =
        result >= 0 && tlbs.results.item(result).bypassesCache && !broken?.has('bypass-ignored');
      const old = draft.slot(cell);
      if (isLine(old)) draft.touchGhost().setLastStored(cell, valueId, !info.translated);
      makeVisible(
        pe,
        j,
        cell,
        bypasses && isLine(old)
          ? bypassingWrite(memory, old, valueId)
          : cacheableWrite(memory, old, valueId),
      );
    }
    answer(
      pe,
      v,
      j,
      info.kind === KIND.rmw && info.stops
        ? { kind: 'value', value: memory.value(get(v, j, AT.value)) }
        : { kind: 'done' },
    );
    emit(pe, j, EVENT.write, forgetUpdate ? 1 : -1);
  }

  /** A store-exclusive may fail for any reason; nothing may have taken its value then. */
  function failExclusive(state: State, pe: number, w: Window, j: number): void {
    if (somebodyTookValueOf(w, j)) return;
    begin(state);
    const v = draft.window(pe);
    set(v, j, AT.obligations, 0);
    addFlags(v, j, FLAG.noWrite);
    answer(pe, v, j, { kind: 'done' });
    emit(pe, j, EVENT.write, 0);
    draft.load(state);
    draft.window(pe);
  }

  /** The store-exclusive can succeed: its load-exclusive saw what is still the last write. */
  function mayStoreExclusively(w: Window, j: number, cell: number): boolean {
    for (let i = j - 1; i >= 0; i -= 1) {
      const { effect } = w.infos[i] as EffectInfo;
      if (effect.kind === 'store' && effect.exclusive) return false;
      if (effect.kind !== 'load' || !effect.exclusive) continue;
      const flags = flagsOf(w, i);
      if ((flags & FLAG.read) === 0 || get(w, i, AT.cell) !== cell) return false;
      return (flags & FLAG.superseded) === 0 || onlyOwnWritesBetween(w, i, j, cell);
    }
    return false;
  }

  /** The PE's own plain stores between the pair do not break it. */
  function onlyOwnWritesBetween(w: Window, i: number, j: number, cell: number): boolean {
    for (let k = i + 1; k < j; k += 1) {
      if ((w.infos[k] as EffectInfo).writes && get(w, k, AT.cell) === cell) {
        return (flagsOf(w, k) & FLAG.superseded) === 0;
      }
    }
    return false;
  }

  function noteTableWrite(pe: number, w: Window, j: number): void {
    if ((w.infos[j] as EffectInfo).translated) return;
    const pa = memory.addressOf(get(w, j, AT.cell));
    const page = pageFact(pa);
    if (page === null || (page.use !== 'table' && page.use !== 'free')) return;
    facts.push({
      kind: 'table-written',
      pe,
      pa,
      locksHeld: draft.ghost.locksHeld(pe),
      pageUse: page.use,
    });
  }

  function faults(state: State, pe: number, w: Window, j: number): void {
    if (!mayRaiseFault(w, j)) return;
    begin(state);
    const v = draft.window(pe);
    addFlags(v, j, FLAG.faultDone);
    set(v, j, AT.obligations, 0);
    emit(pe, j, EVENT.fault, -1);
  }

  function updates(state: State, pe: number, w: Window, j: number): void {
    if (!mayUpdate(w, j)) return;
    const result = tlbs.results.item(get(w, j, AT.result));
    // The read of the descriptor and the update are one atomic: nothing was written in between.
    const isStale = ((flagsOf(w, j) >> MARK_SHIFT) & MARK.stale) !== 0;
    if (result.update === null || (isStale && !broken?.has('update-brings-back'))) return;
    if (lockedByAtomic(-1, result.update.cell)) return;
    begin(state);
    const v = draft.window(pe);
    clearFlags(v, j, FLAG.updatePending);
    makeVisible(-1, -1, result.update.cell, plainSlot(result.update.valueId));
    emit(pe, j, EVENT.update, -1);
  }

  /** The access flag may be set at any time, on behalf of a walk nobody asked for. */
  function spontaneousUpdates(state: State): void {
    const done: number[] = [];
    for (let pe = 0; pe < peCount; pe += 1) {
      draft.load(state);
      for (const update of tlbs.spontaneous(draft.tlb(pe), draft.memoryId(), draft.context(pe))) {
        if (done.includes(update.cell)) continue;
        done.push(update.cell);
        begin(state);
        if (lockedByAtomic(-1, update.cell)) continue;
        makeVisible(-1, -1, update.cell, plainSlot(update.valueId));
        emit(-1, update.cell, EVENT.update, -1);
      }
    }
  }

  function fires(state: State, pe: number, w: Window, j: number): void {
    const info = w.infos[j] as EffectInfo;
    if (!mayFire(w, j)) return;
    const { effect } = info;
    switch (effect.kind) {
      case 'tlbi': {
        const operand = draft.evaluate(pe, effect.operand);
        if (operand === undefined) return;
        const contexts = [draft.context(pe)];
        if (draft.pendingContext(pe) !== 0) contexts.push(draft.pendingContext(pe));
        for (const context of contexts) {
          begin(state);
          if (!issueTlbi(draft, pe, j, info, operand, context, features, facts)) return;
          if (broken?.has('tlbi-at-once')) deliverEverywhere(get(draft.window(pe), j, AT.value));
          emit(pe, j, EVENT.fire, context);
        }
        return;
      }
      case 'choose':
        for (let option = 0; option < effect.options; option += 1) {
          fire(state, pe, j, option, { kind: 'value', value: BigInt(option) });
        }
        return;
      case 'dsb':
        if (broken?.has('any-dsb-completes') && somethingIsIssued()) return;
        fire(state, pe, j, -1, { kind: 'done' });
        return;
      case 'lock':
        if (draft.touchGhost().lockOwner(effect.lock) >= 0) return;
        fire(state, pe, j, -1, { kind: 'done' });
        return;
      default:
        fire(state, pe, j, -1, { kind: 'done' });
    }
  }

  function somethingIsIssued(): boolean {
    for (let slot = 0; slot < LEDGER_SLOTS; slot += 1) if (draft.slotIssuer(slot) >= 0) return true;
    return false;
  }

  /** The effects that happen in one event. */
  function fire(state: State, pe: number, j: number, choice: number, with_: Answer): void {
    begin(state);
    const w = draft.window(pe);
    const info = w.infos[j] as EffectInfo;
    addFlags(w, j, FLAG.fired);
    const reply = perform(pe, w, j, info.effect);
    if (reply === 'impossible') return;
    answer(pe, w, j, reply ?? with_);
    emit(pe, j, EVENT.fire, choice);
  }

  function perform(pe: number, w: Window, j: number, effect: Effect): Answer | 'impossible' | null {
    if (features.erratumRepeatTlbi && goesOn(effect)) overdue();
    switch (effect.kind) {
      case 'isb':
        synchronise(pe, null);
        return null;
      case 'exception-entry':
      case 'exception-return':
        synchronise(pe, effect.toEl);
        return null;
      case 'context': {
        const pending = draft.pendingContext(pe);
        const from = tlbs.contexts.context(pending !== 0 ? pending : draft.context(pe));
        const next = tlbs.contexts.id({ ...from, ...effect.change });
        if (broken?.has('context-at-once')) draft.setContexts(pe, next, 0);
        else draft.setContexts(pe, draft.context(pe), next);
        reclose(pe);
        return null;
      }
      case 'dc': {
        const cell = get(w, j, AT.cell);
        if (cell < 0) return 'impossible';
        const slot = draft.slot(cell);
        const after =
          effect.op === 'cvac' || effect.op === 'cvau'
            ? writtenBack(memory, slot)
            : cleanedAndInvalidated(memory, slot);
        if (after !== slot) changePoc(cell, slot, after);
        return null;
      }
      case 'ic':
        invalidateIcaches(pe, effect.op, get(w, j, AT.cell));
        return null;
      case 'lock':
        draft.touchGhost().setLockOwner(effect.lock, pe);
        return null;
      case 'unlock':
        draft.touchGhost().setLockOwner(effect.lock, -1);
        return null;
      case 'alloc-page': {
        const ghost = draft.touchGhost();
        const page = ghost.freePage();
        if (page < 0) return 'impossible';
        const { base } = ghost.page(page);
        ghost.setPage(page, effect.use, null, false);
        zeroPage(base);
        return { kind: 'value', value: base };
      }
      case 'free-page': {
        const ghost = draft.touchGhost();
        const page = ghost.pageOf(effect.page);
        if (page >= 0) {
          ghost.setPage(page, 'free', null, false);
          for (let other = 0; other < peCount; other += 1) watch.look(other, -1, facts);
        }
        return null;
      }
      case 'announce':
        announce(draft, effect.fact);
        return null;
      default:
        return null;
    }
  }

  /** From EL1 a VPIPT cache gives up only lines of the VMID in force; from EL2 all of them. */
  function invalidateIcaches(pe: number, op: 'iallu' | 'ialluis' | 'ivau', cell: number): void {
    const context = tlbs.contexts.context(draft.context(pe));
    const onlyVmid = context.el === 2 ? null : context.vmid;
    for (let other = 0; other < peCount; other += 1) {
      if (op === 'iallu' && other !== pe) continue;
      draft.invalidateIcache(other, op === 'ivau' ? cell : -1, onlyVmid);
    }
  }

  /** The allocator zeroes a page before it hands it out; here in one step (docs/limits.md). */
  function zeroPage(base: bigint): void {
    const ghost = draft.touchGhost();
    const page = ghost.pageOf(base);
    const zero = memory.valueId(0n);
    for (let cell = 0; cell < memory.cellCount(); cell += 1) {
      if (ghost.pageOf(memory.addressOf(cell)) !== page) continue;
      const slot = draft.slot(cell);
      const cleared = cacheableWrite(memory, slot, zero);
      if (cleared !== slot) makeVisible(-1, -1, cell, cleared);
    }
  }

  function synchronise(pe: number, el: 0 | 1 | 2 | null): void {
    const pending = draft.pendingContext(pe);
    const keeps = broken?.has('context-never') === true;
    let context = pending !== 0 && !keeps ? pending : draft.context(pe);
    if (el !== null) {
      context = tlbs.contexts.id({ ...tlbs.contexts.context(context), el });
    }
    if (pending === 0 && context === draft.context(pe)) return;
    draft.setContexts(pe, context, keeps ? pending : 0);
    reclose(pe);
  }

  /** Effects with which software goes on after its maintenance, and so relies on it. */
  function goesOn({ kind }: Effect): boolean {
    return kind === 'dc' || kind === 'unlock' || kind === 'announce' || kind === 'free-page';
  }

  /** Erratum: the maintenance is taken for the completion of accesses that nothing waited for. */
  function overdue(): void {
    for (let pe = 0; pe < peCount; pe += 1) {
      const w = draft.window(pe);
      for (let i = 0; i < w.count; i += 1) {
        if ((flagsOf(w, i) & FLAG.owed) !== 0) addFlags(w, i, FLAG.overdue);
      }
    }
  }

  function reclose(pe: number): void {
    const before = draft.tlb(pe);
    draft.closeTlb(pe);
    watch.look(pe, before, facts);
  }

  function transitions(state: State): readonly Transition[] {
    out.length = 0;
    for (let pe = 0; pe < peCount; pe += 1) {
      draft.load(state);
      const count = draft.window(pe).count;
      for (let j = 0; j < count; j += 1) instance(state, pe, j);
    }
    deliveries(state);
    writeBacks(state);
    if (managesAccessFlags) spontaneousUpdates(state);
    return out.slice();
  }

  /** The transitions of one instance. */
  function instance(state: State, pe: number, j: number): void {
    draft.load(state);
    const w = draft.window(pe);
    const info = w.infos[j] as EffectInfo;
    const flags = flagsOf(w, j);
    if ((flags & FLAG.faulted) !== 0) {
      if ((flags & FLAG.faultDone) === 0) faults(state, pe, w, j);
    } else if (info.reads || info.writes) {
      if (translationPending(w, j)) {
        translations(state, pe, w, j);
        return;
      }
      if (updatePending(w, j)) {
        updates(state, pe, w, j);
        draft.load(state);
        draft.window(pe);
      }
      if (readPending(w, j)) reads(state, pe, w, j);
      else if (writePending(w, j)) writes(state, pe, w, j);
    } else if (info.kind === KIND.branch || info.kind === KIND.select) {
      if ((flags & (FLAG.guessed | FLAG.fired)) === 0) guess(state, pe, j);
    } else if ((flags & FLAG.fired) === 0 && info.kind !== KIND.dmb) fires(state, pe, w, j);
  }

  function sites(state: State): readonly Site[] {
    const found: Site[] = [];
    draft.load(state);
    for (let pe = 0; pe < peCount; pe += 1) {
      const { count } = draft.window(pe);
      for (let index = 0; index < count; index += 1) found.push({ pe, index, kind: 'instance' });
    }
    for (let index = 0; index < LEDGER_SLOTS; index += 1) {
      const pending = draft.slotPending(index);
      for (let pe = 0; pe < peCount; pe += 1) {
        if ((pending & (1 << pe)) !== 0) found.push({ pe, index, kind: 'deliver' });
      }
    }
    if (setup.dataCache === 'modelled') {
      for (let index = 0; index < memory.cellCount(); index += 1) {
        const slot = draft.slot(index);
        if (isLine(slot) && memory.line(slot).dirty >= 0) {
          found.push({ pe: -1, index, kind: 'write-back' });
        }
      }
    }
    if (managesAccessFlags) found.push({ pe: -1, index: -1, kind: 'update' });
    return found;
  }

  function at(state: State, site: Site): readonly Transition[] {
    out.length = 0;
    if (site.kind === 'instance') instance(state, site.pe, site.index);
    else if (site.kind === 'deliver') deliverAt(state, site.index, site.pe);
    else if (site.kind === 'write-back') writeBack(state, site.index);
    else spontaneousUpdates(state);
    return out.slice();
  }

  /**
   * One PE's next step that commutes with everything any other agent can do before it, and that takes
   * nothing away from its own PE: a completed barrier, an issued TLBI, a fault event, a released
   * lock, a delivery that changes nothing; or all options of a choice the PE is waiting for.
   */
  function eager(state: State): readonly Transition[] {
    out.length = 0;
    for (let pe = 0; pe < peCount; pe += 1) {
      draft.load(state);
      const count = draft.window(pe).count;
      for (let j = 0; j < count; j += 1) {
        draft.load(state);
        const w = draft.window(pe);
        const info = w.infos[j] as EffectInfo;
        const flags = flagsOf(w, j);
        if ((flags & FLAG.faulted) !== 0) {
          if ((flags & FLAG.faultDone) === 0) faults(state, pe, w, j);
        } else if (info.kind === KIND.branch || info.kind === KIND.select) {
          if ((flags & (FLAG.guessed | FLAG.fired)) === 0) guess(state, pe, j);
        } else if ((flags & FLAG.fired) === 0 && isEagerEffect(pe, w, j)) fires(state, pe, w, j);
        else if (info.kind === KIND.load && readPending(w, j) && isProtectedRead(pe, w, j)) {
          reads(state, pe, w, j);
        }
        if (out.length > 0) return out.slice();
      }
    }
    // Under the erratum a later delivery may leave an access owed, so an early one is not the worst.
    if (features.erratumRepeatTlbi) return [];
    for (let slot = 0; slot < LEDGER_SLOTS; slot += 1) {
      draft.load(state);
      const pending = draft.slotPending(slot);
      for (let pe = 0; pe < peCount; pe += 1) {
        if ((pending & (1 << pe)) === 0) continue;
        begin(state);
        const before = draft.tlb(pe);
        const holdsUp = deliver(draft, slot, pe, features.erratumRepeatTlbi);
        draft.closeTlb(pe);
        if (holdsUp || draft.tlb(pe) !== before) continue;
        emit(pe, slot, EVENT.deliver, -1);
        return out.slice();
      }
    }
    return out.slice();
  }

  function isEagerEffect(pe: number, w: Window, j: number): boolean {
    const { effect } = w.infos[j] as EffectInfo;
    switch (effect.kind) {
      case 'dsb':
      case 'unlock':
        return !features.erratumRepeatTlbi;
      case 'choose':
        return true;
      case 'isb':
        // With a register write pending, walks still use both contexts until this happens.
        return draft.pendingContext(pe) === 0;
      case 'exception-entry':
      case 'exception-return':
        return draft.pendingContext(pe) === 0 && features.readingFillOutOfContext;
      case 'tlbi':
        // Once it is issued no earlier instance can fault any more (`hasLeftMark`).
        for (let i = 0; i < j; i += 1) if (translationPending(w, i)) return false;
        return draft.pendingContext(pe) === 0;
      case 'announce':
        return effect.fact.kind === 'operation-begins' || effect.fact.kind === 'content-relied-on';
      default:
        return false;
    }
  }

  /**
   * A read of a table word by a PE that holds a lock: the words of tables are only written under the
   * lock, which the rule `locks-held` checks in the same search.
   */
  function isProtectedRead(pe: number, w: Window, j: number): boolean {
    const { effect } = w.infos[j] as EffectInfo;
    if (effect.kind !== 'load' || effect.at.kind !== 'physical') return false;
    // With several locks, holding one says nothing about who may hold the other.
    if (setup.locks.length > 1) return false;
    const ghost = draft.touchGhost();
    if (ghost.locksHeld(pe) === 0) return false;
    const page = ghost.pageOf(memory.addressOf(get(w, j, AT.cell)));
    return page >= 0 && ghost.page(page).use === 'table';
  }

  function guess(state: State, pe: number, j: number): void {
    for (const taken of [0, 1]) {
      begin(state);
      const w = draft.window(pe);
      addFlags(w, j, FLAG.guessed | (taken === 1 ? FLAG.guessTaken : 0));
      answer(pe, w, j, { kind: 'value', value: BigInt(taken) });
      emit(pe, j, EVENT.guess, taken);
    }
  }

  function deliveries(state: State): void {
    draft.load(state);
    for (let slot = 0; slot < LEDGER_SLOTS; slot += 1) {
      draft.load(state);
      const pending = draft.slotPending(slot);
      for (let pe = 0; pe < peCount; pe += 1) {
        if ((pending & (1 << pe)) !== 0) deliverAt(state, slot, pe);
      }
    }
  }

  /** For the fault `tlbi-at-once`. */
  function deliverEverywhere(slot: number): void {
    for (let pe = 0; pe < peCount; pe += 1) {
      if ((draft.slotPending(slot) & (1 << pe)) === 0) continue;
      deliver(draft, slot, pe, false);
      reclose(pe);
    }
  }

  function deliverAt(state: State, slot: number, pe: number): void {
    begin(state);
    deliver(draft, slot, pe, features.erratumRepeatTlbi);
    reclose(pe);
    emit(pe, slot, EVENT.deliver, -1);
  }

  function writeBacks(state: State): void {
    if (setup.dataCache === 'coherent') return;
    draft.load(state);
    for (let cell = 0; cell < memory.cellCount(); cell += 1) {
      draft.load(state);
      const slot = draft.slot(cell);
      if (isLine(slot) && memory.line(slot).dirty >= 0) writeBack(state, cell);
    }
  }

  function writeBack(state: State, cell: number): void {
    begin(state);
    const slot = draft.slot(cell);
    changePoc(cell, slot, writtenBack(memory, slot));
    emit(-1, cell, EVENT.writeBack, -1);
  }

  function waitsForLock(w: Window): boolean {
    for (let j = 0; j < w.count; j += 1) {
      const { effect } = w.infos[j] as EffectInfo;
      if (effect.kind === 'lock' && (flagsOf(w, j) & FLAG.fired) === 0 && mayFire(w, j))
        return true;
    }
    return false;
  }

  function end(state: State): End {
    draft.load(state);
    let unfinished = 0;
    let waiting = 0;
    for (let pe = 0; pe < peCount; pe += 1) {
      if (draft.ended(pe)) continue;
      unfinished += 1;
      if (waitsForLock(draft.window(pe))) waiting += 1;
    }
    if (unfinished === 0) return 'finished';
    // A PE that is stuck for another reason has run into an order that cannot be completed, and who
    // waits for its lock says nothing.
    return waiting === unfinished ? 'deadlock' : 'impossible';
  }

  const initialFacts: Fact[] = [];
  draft.load(draft.initial);
  for (let pe = 0; pe < peCount; pe += 1) watch.look(pe, -1, initialFacts);
  return {
    setup,
    initial: draft.initial,
    initialFacts,
    transitions,
    sites,
    at,
    eager,
    end,
    inspect: draft,
  };
}
