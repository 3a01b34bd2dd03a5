import type { MachineFaults } from './fault.ts';
import type { Memory } from './memory.ts';
import type { MayCaches } from './may-cache.ts';
import { marksAfterWrite } from './may-cache.ts';
import { createMemory, isLine, plainSlot, type Line } from './memory.ts';
import { createMayCaches } from './may-cache.ts';
import { createGhost, type Ghost } from './ghost.ts';
import { createSymmetry } from './symmetry.ts';
import { picksResolved } from './local-order.ts';
import { createInstructionCaches } from './instruction-cache.ts';
import { KIND, threadEffects, type EffectInfo, type ThreadEffects } from './effect-info.ts';
import { evaluate, type Expr } from '../program/expr.ts';
import { pageShift } from '../arm64/granule.ts';
import { intSequencePool, type IntSequencePool } from '../util/int-sequence-pool.ts';
import type { MachineSetup } from './setup.ts';
import {
  addFlags,
  append,
  AT,
  emptyWindow,
  FLAG,
  flagsOf,
  get,
  HEAD_WAITS,
  indexOf,
  loadWindow,
  MARK_SHIFT,
  MAX_WINDOW,
  packWindow,
  retireFirst,
  set,
  type Window,
} from './window.ts';

/**
 * A state: one integer per component, each the id of a hash-consed content.
 * `memory, ledger, ghost, (window, TLB, context, pending context, I-cache)*`, the last group once per PE.
 */
export type State = Int32Array;

/** Offsets of a state's shared components, and of the group of a PE. */
export const STATE = { memory: 0, ledger: 1, ghost: 2, pes: 3, perPe: 5 } as const;

/** TLBIs outstanding at a time, over all PEs. Obligation masks have one bit each. */
export const LEDGER_SLOTS = 24;
const SLOT_INTS = 3;

/**
 * A state being changed: components are unpacked when touched and packed again by `commit`. There is
 * one draft per machine; a transition loads a state, changes it, settles it, and commits.
 */
export interface Draft {
  readonly memory: Memory;
  readonly tlbs: MayCaches;
  readonly ghost: Ghost;
  readonly threads: readonly ThreadEffects[];
  readonly faults: MachineFaults;
  readonly initial: State;
  /** Starts from a state. */
  load(state: State): void;
  window(pe: number): Window;
  memoryId(): number;
  setSlot(cell: number, slot: number): void;
  slot(cell: number): number;
  tlb(pe: number): number;
  setTlb(pe: number, set: number): void;
  context(pe: number): number;
  pendingContext(pe: number): number;
  setContexts(pe: number, context: number, pending: number): void;
  /** Closes what a PE may hold under walks in the contexts it may use. */
  closeTlb(pe: number): void;
  /** Closes what a PE may have fetched, after a write that walks do not see. */
  closeIcache(pe: number): void;
  /** Value ids a fetch of the PE may return. */
  fetchable(pe: number, cell: number): readonly number[];
  /** Drops lines of a cell (-1: all) from a PE's I-cache, of one VMID where that is all it reaches. */
  invalidateIcache(pe: number, cell: number, onlyVmid: number | null): void;
  touchGhost(): Ghost;
  /** A free ledger slot, or -1. */
  freeSlot(): number;
  openSlot(slot: number, pe: number, invalidation: number, pending: number): void;
  slotIssuer(slot: number): number;
  slotInvalidation(slot: number): number;
  slotPending(slot: number): number;
  setSlotPending(slot: number, pending: number): void;
  /** Value of an expression of a PE's thread, if its sources have answered. */
  evaluate(pe: number, expr: Expr): bigint | undefined;
  /** Result of the `seq`-th effect of a symbolic thread, if it has one by now. */
  result(pe: number, seq: number): bigint | undefined;
  /** Address of an access, if known. */
  address(pe: number, index: number): bigint | undefined;
  /**
   * Does everything that needs no choice: completes TLBIs, retires instances, fetches, resolves
   * branches. False when a guess turned out wrong: the run does not exist.
   */
  settle(): boolean;
  /** Whether the thread has ended and nothing of it is left to happen. */
  ended(pe: number): boolean;
  commit(): State;
  /** The state that stands for all states which differ only in the names of interchangeable PEs. */
  canonical(state: State): State;
}

/** The draft of a machine. */
export function createDraft(setup: MachineSetup): Draft {
  const pageBits = pageShift(setup.translation.features.granule);
  const memory = createMemory(setup, pageBits);
  const tlbs = createMayCaches(setup, memory);
  const ghost = createGhost(setup, pageBits);
  const icaches = createInstructionCaches(setup, memory, tlbs);
  const modelsIcache = setup.instructionCache === 'modelled';
  const threads = setup.threads.map((thread) => threadEffects(thread.tree));
  const windowPool: IntSequencePool = intSequencePool();
  const ledgerPool: IntSequencePool = intSequencePool();
  const windows = setup.threads.map(() => emptyWindow(setup.faults));
  const ledger = new Int32Array(LEDGER_SLOTS * SLOT_INTS);
  const size = STATE.pes + STATE.perPe * threads.length;
  const ids = new Int32Array(size);
  let ledgerId = -1;
  let ledgerDirty = false;
  const bound = Math.min(setup.bounds.window, MAX_WINDOW);

  function peAt(pe: number, offset: number): number {
    return STATE.pes + pe * STATE.perPe + offset;
  }

  function window(pe: number): Window {
    const w = windows[pe] as Window;
    if (!w.dirty && w.id !== ids[peAt(pe, 0)])
      loadWindow(w, windowPool, ids[peAt(pe, 0)] as number, threads[pe] as ThreadEffects);
    return w;
  }

  function slots(): Int32Array {
    const id = ids[STATE.ledger] as number;
    if (!ledgerDirty && ledgerId !== id) {
      ledger.fill(0);
      ledgerPool.copy(id, ledger);
      ledgerId = id;
    }
    return ledger;
  }

  function resultOf(pe: number): (seq: number) => bigint | undefined {
    const w = window(pe);
    return (seq) => {
      const i = indexOf(w, seq);
      if (i >= 0) return i < w.count ? resultAt(memory, w, i) : undefined;
      const kept = w.results[seq] as number;
      return kept < 0 ? undefined : memory.value(kept);
    };
  }

  function evaluateFor(pe: number, expr: Expr): bigint | undefined {
    return expr.kind === 'const' ? expr.value : evaluate(expr, resultOf(pe));
  }

  function addressOf(pe: number, index: number): bigint | undefined {
    const info = window(pe).infos[index] as EffectInfo;
    if (info.constantAddress !== null) return info.constantAddress;
    return info.place === null ? undefined : evaluateFor(pe, info.place.address);
  }

  /** Whether nothing is left to happen to an instance. */
  function isDone(w: Window, i: number): boolean {
    const info = w.infos[i] as EffectInfo;
    const flags = flagsOf(w, i);
    if ((flags & FLAG.faulted) !== 0) return (flags & FLAG.faultDone) !== 0;
    if ((flags & FLAG.updatePending) !== 0) return false;
    switch (info.kind) {
      case KIND.load:
      case KIND.fetch:
        return (flags & FLAG.read) !== 0;
      case KIND.store:
        return (flags & (FLAG.written | FLAG.noWrite)) !== 0;
      case KIND.rmw:
        return (flags & FLAG.read) !== 0 && (flags & (FLAG.written | FLAG.noWrite)) !== 0;
      case KIND.dmb:
        return true;
      case KIND.tlbi:
        return (flags & FLAG.complete) !== 0;
      default:
        return (flags & FLAG.fired) !== 0;
    }
  }

  function resolveBranches(pe: number, w: Window): boolean {
    for (let i = 0; i < w.count; i += 1) {
      const info = w.infos[i] as EffectInfo;
      const { effect } = info;
      if (effect.kind !== 'branch' && effect.kind !== 'select') continue;
      const flags = flagsOf(w, i);
      if ((flags & FLAG.fired) !== 0) continue;
      const condition = evaluateFor(pe, effect.condition);
      if (condition === undefined || !picksResolved(w, info)) continue;
      const taken = condition !== 0n;
      if ((flags & FLAG.guessed) === 0) {
        w.head = (threads[pe] as ThreadEffects).next(get(w, i, AT.node), {
          kind: 'value',
          value: taken ? 1n : 0n,
        });
        addFlags(w, i, FLAG.fired);
      } else if (((flags & FLAG.guessTaken) !== 0) === taken) addFlags(w, i, FLAG.fired);
      else return false;
    }
    return true;
  }

  function fetch(pe: number, w: Window): void {
    const thread = threads[pe] as ThreadEffects;
    while (w.count < bound && w.head !== HEAD_WAITS) {
      const node = w.head;
      const info = thread.at(node);
      if (info === null) return;
      append(w, node, info);
      const i = w.count - 1;
      if (info.place?.kind === 'physical') {
        const address = addressOf(pe, i);
        if (address !== undefined) set(w, i, AT.cell, memory.cellOf(address));
      } else if (info.place !== null && !info.translated) {
        const address = addressOf(pe, i);
        if (address !== undefined) set(w, i, AT.cell, memory.cellOf(address));
      }
      w.head = info.stops ? HEAD_WAITS : thread.nextDone(node);
    }
  }

  /** Physical addresses that have become known. */
  function locate(pe: number, w: Window): void {
    for (let i = 0; i < w.count; i += 1) {
      const info = w.infos[i] as EffectInfo;
      if (info.place === null || info.translated || get(w, i, AT.cell) >= 0) continue;
      const address = addressOf(pe, i);
      if (address !== undefined) set(w, i, AT.cell, memory.cellOf(address));
    }
  }

  function settlePe(pe: number): boolean {
    const w = window(pe);
    const { symbolic } = (threads[pe] as ThreadEffects).tree;
    for (;;) {
      if (!resolveBranches(pe, w)) return false;
      if (symbolic) locate(pe, w);
      const count = w.count;
      const head = w.head;
      if (!symbolic) while (w.count > 0 && isDone(w, 0)) retireFirst(w);
      else if (w.count === bound && isDone(w, 0)) {
        const result = resultAt(memory, w, 0);
        w.results.push(result === undefined ? -1 : memory.valueId(result));
        retireFirst(w);
      }
      fetch(pe, w);
      if (w.count === count && w.head === head) return true;
    }
  }

  /** Completes TLBIs delivered everywhere that no access is holding up any more. */
  function completeTlbis(): void {
    const table = slots();
    for (let slot = 0; slot < LEDGER_SLOTS; slot += 1) {
      const issuer = (table[slot * SLOT_INTS] as number) - 1;
      if (issuer < 0 || table[slot * SLOT_INTS + 2] !== 0) continue;
      const bit = 1 << slot;
      let held = false;
      for (let pe = 0; pe < threads.length && !held; pe += 1) {
        const w = window(pe);
        for (let i = 0; i < w.count; i += 1) {
          if (((get(w, i, AT.obligations) | get(w, i, AT.translationObligations)) & bit) !== 0) {
            held = true;
            break;
          }
        }
      }
      if (held) continue;
      const w = window(issuer);
      for (let i = 0; i < w.count; i += 1) {
        if (
          (w.infos[i] as EffectInfo).kind === KIND.tlbi &&
          get(w, i, AT.value) === slot &&
          (flagsOf(w, i) & (FLAG.fired | FLAG.complete)) === FLAG.fired
        ) {
          addFlags(w, i, FLAG.complete);
          set(w, i, AT.value, -1);
        }
      }
      table.fill(0, slot * SLOT_INTS, (slot + 1) * SLOT_INTS);
      ledgerDirty = true;
    }
  }

  function closeTlb(pe: number): void {
    const at = peAt(pe, 1);
    const context = ids[peAt(pe, 2)] as number;
    const pending = ids[peAt(pe, 3)] as number;
    const mem = ids[STATE.memory] as number;
    let closed = tlbs.close(ids[at] as number, mem, context);
    // A register write that is not synchronised may already be in force.
    if (pending !== 0) closed = tlbs.close(closed, mem, pending);
    ids[at] = closed;
    closeIcache(pe);
  }

  function closeIcache(pe: number): void {
    if (!modelsIcache) return;
    const at = peAt(pe, 4);
    const mem = ids[STATE.memory] as number;
    const tlb = ids[peAt(pe, 1)] as number;
    ids[at] = icaches.close(ids[at] as number, tlb, mem, ids[peAt(pe, 2)] as number);
  }

  const draft: Draft = {
    memory,
    tlbs,
    ghost,
    threads,
    faults: setup.faults,
    initial: new Int32Array(0),
    load(state) {
      ids.set(state);
      for (const w of windows) {
        if (!w.dirty) continue;
        w.dirty = false;
        w.id = -1;
      }
      if (ledgerDirty) ledgerId = -1;
      ledgerDirty = false;
      ghost.forget();
    },
    window,
    memoryId: () => ids[STATE.memory] as number,
    slot: (cell) => memory.slot(ids[STATE.memory] as number, cell),
    setSlot(cell, slot) {
      ids[STATE.memory] = memory.withSlot(ids[STATE.memory] as number, cell, slot);
    },
    tlb: (pe) => ids[peAt(pe, 1)] as number,
    setTlb(pe, tlbSet) {
      ids[peAt(pe, 1)] = tlbSet;
    },
    context: (pe) => ids[peAt(pe, 2)] as number,
    pendingContext: (pe) => ids[peAt(pe, 3)] as number,
    setContexts(pe, context, pending) {
      ids[peAt(pe, 2)] = context;
      ids[peAt(pe, 3)] = pending;
    },
    closeTlb,
    closeIcache,
    fetchable: (pe, cell) =>
      icaches.values(
        ids[peAt(pe, 4)] as number,
        cell,
        tlbs.contexts.context(ids[peAt(pe, 2)] as number).vmid,
      ),
    invalidateIcache(pe, cell, onlyVmid) {
      if (!modelsIcache) return;
      ids[peAt(pe, 4)] = icaches.invalidate(ids[peAt(pe, 4)] as number, cell, onlyVmid);
      closeIcache(pe);
    },
    touchGhost() {
      ghost.load(ids[STATE.ghost] as number);
      return ghost;
    },
    freeSlot() {
      const table = slots();
      for (let slot = 0; slot < LEDGER_SLOTS; slot += 1)
        if (table[slot * SLOT_INTS] === 0) return slot;
      return -1;
    },
    openSlot(slot, pe, invalidation, pending) {
      const table = slots();
      table[slot * SLOT_INTS] = pe + 1;
      table[slot * SLOT_INTS + 1] = invalidation;
      table[slot * SLOT_INTS + 2] = pending;
      ledgerDirty = true;
    },
    slotIssuer: (slot) => (slots()[slot * SLOT_INTS] as number) - 1,
    slotInvalidation: (slot) => slots()[slot * SLOT_INTS + 1] as number,
    slotPending: (slot) => slots()[slot * SLOT_INTS + 2] as number,
    setSlotPending(slot, pending) {
      slots()[slot * SLOT_INTS + 2] = pending;
      ledgerDirty = true;
    },
    evaluate: evaluateFor,
    result: (pe, seq) => resultOf(pe)(seq),
    address: addressOf,
    ended(pe) {
      const w = window(pe);
      if (w.head === HEAD_WAITS || (threads[pe] as ThreadEffects).at(w.head) !== null) return false;
      for (let i = 0; i < w.count; i += 1) if (!isDone(w, i)) return false;
      return true;
    },
    settle() {
      completeTlbis();
      for (let pe = 0; pe < threads.length; pe += 1) {
        if ((windows[pe] as Window).dirty && !settlePe(pe)) {
          return false;
        }
      }
      return true;
    },
    canonical: (state) => state,
    commit() {
      for (let pe = 0; pe < threads.length; pe += 1) {
        const w = windows[pe] as Window;
        if (w.dirty) {
          w.id = packWindow(w, windowPool);
          ids[peAt(pe, 0)] = w.id;
          w.dirty = false;
        }
      }
      if (ledgerDirty) {
        let length = ledger.length;
        while (length > 0 && ledger[length - 1] === 0) length -= 1;
        ledgerId = ledgerPool.intern(ledger, length);
        ids[STATE.ledger] = ledgerId;
        ledgerDirty = false;
      }
      if (ghost.isChanged()) ids[STATE.ghost] = ghost.pack();
      return ids.slice();
    },
  };

  // The initial state: every PE closed under its context, windows filled.
  const start = new Int32Array(size);
  start[STATE.memory] = memory.initial;
  start[STATE.ledger] = ledgerPool.intern(ledger, 0);
  start[STATE.ghost] = ghost.initial;
  const empty = emptyWindow();
  setup.threads.forEach((thread, pe) => {
    empty.head = thread.tree.root;
    start[peAt(pe, 0)] = packWindow(empty, windowPool);
    start[peAt(pe, 1)] = tlbs.empty;
    start[peAt(pe, 2)] = tlbs.contexts.id(thread.context);
    start[peAt(pe, 3)] = 0;
    start[peAt(pe, 4)] = icaches.empty;
  });
  draft.load(start);
  for (let pe = 0; pe < threads.length; pe += 1) {
    for (const previous of setup.threads[pe]?.previousContexts ?? []) {
      const id = tlbs.contexts.id(previous);
      ids[peAt(pe, 1)] = tlbs.close(ids[peAt(pe, 1)] as number, memory.initial, id);
    }
    closeTlb(pe);
    window(pe).dirty = true;
  }
  if (!draft.settle()) throw new Error('the first branch of a thread contradicts itself');
  const symmetry = createSymmetry(
    setup,
    { ...STATE, slotInts: SLOT_INTS },
    setup.threads.map((thread) => tlbs.contexts.id(thread.context)),
    ledgerPool,
    ghost,
  );
  return {
    ...draft,
    initial: draft.commit(),
    canonical: (state) => symmetry.canonical(state),
  };
}

/** What an instance has answered: the value read, or the status of a store-exclusive. */
export function resultAt(memory: Memory, w: Window, i: number): bigint | undefined {
  const flags = flagsOf(w, i);
  const { effect } = w.infos[i] as EffectInfo;
  if (effect.kind === 'store') {
    if ((flags & FLAG.noWrite) !== 0) return 1n;
    return (flags & FLAG.written) !== 0 ? 0n : undefined;
  }
  return (flags & FLAG.read) === 0 ? undefined : memory.value(get(w, i, AT.value));
}

/** Marks the translations in flight of a PE that were built from a cell that has been written. */
export function markInFlight(draft: Draft, pe: number, cell: number): void {
  const w = draft.window(pe);
  for (let i = 0; i < w.count; i += 1) {
    const result = get(w, i, AT.result);
    if (result < 0 || (flagsOf(w, i) & FLAG.translated) === 0) continue;
    const marks = marksAfterWrite(draft.tlbs.results.item(result), cell);
    if (marks !== 0) addFlags(w, i, marks << MARK_SHIFT);
  }
}

/** The slot after a cacheable write. */
export function cacheableWrite(memory: Memory, slot: number, valueId: number): number {
  if (!isLine(slot)) return plainSlot(valueId);
  const line = memory.line(slot);
  return memory.lineSlot({ poc: line.poc, dirty: valueId, clean: [] });
}

/** The slot after a write that bypasses the cache: clean copies stay and grow old. */
export function bypassingWrite(memory: Memory, slot: number, valueId: number): number {
  const line: Line = isLine(slot)
    ? memory.line(slot)
    : { poc: slot >> 1, dirty: -1, clean: [slot >> 1] };
  const clean = line.dirty >= 0 ? [] : [...new Set([...line.clean, valueId])].sort((a, b) => a - b);
  return memory.lineSlot({ poc: valueId, dirty: line.dirty, clean });
}

/** The slot after a dirty line has been written back; the same slot when it is not dirty. */
export function writtenBack(memory: Memory, slot: number): number {
  if (!isLine(slot)) return slot;
  const line = memory.line(slot);
  if (line.dirty < 0) return slot;
  return memory.lineSlot({ poc: line.dirty, dirty: -1, clean: [line.dirty] });
}

/** The slot after clean and invalidate: no copy survives, a fill may follow at once. */
export function cleanedAndInvalidated(memory: Memory, slot: number): number {
  if (!isLine(slot)) return slot;
  const line = memory.line(slot);
  const value = line.dirty >= 0 ? line.dirty : line.poc;
  return memory.lineSlot({ poc: value, dirty: -1, clean: [value] });
}

/**
 * The slot after an invalidation alone: a dirty value is lost. Hardware may clean as well, which is a
 * write-back just before.
 */
export function invalidated(memory: Memory, slot: number): number {
  if (!isLine(slot)) return slot;
  const { poc } = memory.line(slot);
  return memory.lineSlot({ poc, dirty: -1, clean: [poc] });
}
