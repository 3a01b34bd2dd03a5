import type { MachineFaults } from './fault.ts';
import type { Memory } from './memory.ts';
import type { MayCaches } from './may-cache.ts';
import { createBoundsNotes, type BoundsMet } from './bounds-met.ts';
import { createMemory } from './memory.ts';
import { createMayCaches } from './may-cache.ts';
import { createGhost, type Ghost } from './ghost.ts';
import { createApply } from './apply-change.ts';
import { initialState } from './initial-state.ts';
import { createLedger, LEDGER_SLOTS, SLOT_INTS } from './ledger.ts';
import { createReadTrail, READ, type ReadTrail } from './read-trail.ts';
import { createSettleWindow } from './settle-window.ts';
import { createStateParts, type WindowQuestion } from './state-parts.ts';
import { PE, peComponent, STATE, type Change, type State } from './state.ts';
import { createSymmetry } from './symmetry.ts';
import { trackedGhost } from './tracked-ghost.ts';
import { createInstructionCaches } from './instruction-cache.ts';
import { KIND, threadEffects, type EffectInfo, type ThreadEffects } from './effect-info.ts';
import type { Expr } from '../program/expr.ts';
import { pageShift } from '../arm64/granule.ts';
import { idTables, type IdTables } from '../util/id-tables.ts';
import type { MachineSetup } from './setup.ts';
import {
  addFlags,
  AT,
  emptyWindow,
  FLAG,
  flagsOf,
  get,
  HEAD_WAITS,
  loadWindow,
  MAX_WINDOW,
  packWindow,
  set,
  type Window,
} from './window.ts';

/**
 * A state being changed: components are unpacked when touched and packed again by `changes`. There is
 * one draft per machine; a step loads a state, changes it, settles it, and says what has changed.
 *
 * All that is looked at goes through here and is put on the trail, so that the steps found need not be
 * worked out again for another state that looks the same along it (step-memo.ts).
 */
export interface Draft {
  /** What gives ids to the contents of states. */
  readonly ids: IdTables;
  readonly memory: Memory;
  readonly tlbs: MayCaches;
  readonly threads: readonly ThreadEffects[];
  readonly faults: MachineFaults;
  readonly initial: State;
  readonly trail: ReadTrail;
  /** Starts from a state. */
  load(state: State): void;
  window(pe: number): Window;
  /** Whether the window of a PE holds a translation; looks at less than `window` does. */
  hasTranslation(pe: number): boolean;
  /** Whether something in the window of a PE has read the cell. */
  hasRead(pe: number, cell: number): boolean;
  /** Whether something in the window of a PE was translated through the cell. */
  hasBuiltFrom(pe: number, cell: number): boolean;
  /** Whether a PE is between the halves of an atomic on the cell. */
  isMidAtomic(pe: number, cell: number): boolean;
  memoryId(): number;
  /** Memory as walks see it: `memory.walkable`. */
  walkedMemory(): number;
  /** Number of cells touched so far. */
  cellCount(): number;
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
  /** Bounds of the machine that kept something from happening so far. */
  boundsMet(): BoundsMet;
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
  /** What has changed since `load`; the draft has to be loaded anew after it. */
  changes(): Change;
  /** Makes changes in a state. */
  apply(change: Change, state: State): void;
  /** A part of a state, as the trail has it. */
  part(state: State, kind: number, component: number, argument: number): number;
  /** TLBIs that are to be delivered, in the order of the ledger: slot, PEs, slot, PEs ... */
  pendingDeliveries(state: State): readonly number[];
  /**
   * Replaces a state by the one that stands for all states which differ only in the names of
   * interchangeable PEs.
   */
  canonicalise(state: State, pe?: number): number;
  /** PEs that an interchangeable one before them stands for, a bit each, in such a state. */
  twins(state: State): number;
}

/** The draft of a machine. */
export function createDraft(setup: MachineSetup): Draft {
  const pageBits = pageShift(setup.translation.features.granule);
  const tables = idTables();
  const memory = createMemory(setup, pageBits, tables);
  const tlbs = createMayCaches(setup, memory, tables);
  const rawGhost = createGhost(setup, pageBits, tables);
  const icaches = createInstructionCaches(setup, memory, tlbs, tables);
  const modelsIcache = setup.instructionCache === 'modelled';
  const threads = setup.threads.map((thread) => threadEffects(thread.tree, tables));
  const peCount = threads.length;
  const windowPool = tables.pool();
  const ledger = createLedger(tables);
  const windows = setup.threads.map(() => emptyWindow(setup.faults));
  const size = STATE.pes + STATE.perPe * peCount;
  const ids = new Int32Array(size);
  /** The state loaded. */
  const base = new Int32Array(size);
  /** Components that have a new content. */
  const changed = new Uint8Array(size);
  let slotChanges: number[] = [];
  const trail = createReadTrail(size);
  const ghost = trackedGhost(rawGhost, trail, STATE.ghost, () => base[STATE.ghost] as number);
  const parts = createStateParts({ memory, tlbs, ghost: rawGhost, ledger, windowPool, threads });
  const bounds = createBoundsNotes(setup, threads, tables);
  const inFlight = Math.min(setup.bounds.window, MAX_WINDOW);
  const settling = createSettleWindow(memory, tlbs, inFlight, bounds.full);

  /** The content of a component, all of it. */
  function read(component: number): number {
    if (changed[component] === 0) trail.whole(component, base[component] as number);
    return ids[component] as number;
  }

  function write(component: number, id: number): void {
    ids[component] = id;
    changed[component] = 1;
  }

  function window(pe: number): Window {
    const w = windows[pe] as Window;
    const component = peComponent(pe, PE.window);
    trail.whole(component, base[component] as number);
    if (!w.dirty && w.id !== ids[component])
      loadWindow(w, windowPool, ids[component] as number, threads[pe] as ThreadEffects);
    return w;
  }

  /** Asks a small question of a window, unpacked or not. */
  function ask(pe: number, kind: WindowQuestion, argument: number): number {
    const w = windows[pe] as Window;
    if (w.dirty) return parts.inWindow(kind, w.ints, 0, w.count, argument, pe);
    const component = peComponent(pe, PE.window);
    const answer = parts.part(base, kind, component, argument);
    trail.part(kind, component, argument, answer);
    return answer;
  }

  function slots(): Int32Array {
    if (!ledger.isChanged()) trail.whole(STATE.ledger, base[STATE.ledger] as number);
    return ledger.load(ids[STATE.ledger] as number);
  }

  /** TLBIs delivered everywhere. */
  function delivered(): number {
    const mask = ledger.delivered(ids[STATE.ledger] as number);
    if (!ledger.isChanged()) trail.part(READ.delivered, STATE.ledger, 0, mask);
    return mask;
  }

  /** Completes TLBIs delivered everywhere that no access is holding up any more. */
  function completeTlbis(): void {
    const mask = delivered();
    if (mask === 0) return;
    let held = 0;
    for (let pe = 0; pe < peCount; pe += 1) held |= ask(pe, READ.obligations, 0);
    for (let slot = 0; slot < LEDGER_SLOTS; slot += 1) {
      const bit = 1 << slot;
      if ((mask & bit) === 0 || (held & bit) !== 0) continue;
      const table = slots();
      const issuer = (table[slot * SLOT_INTS] as number) - 1;
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
      ledger.touch();
    }
  }

  function memoryId(): number {
    trail.whole(STATE.memory, base[STATE.memory] as number);
    return ids[STATE.memory] as number;
  }

  function walkedMemory(): number {
    const before = base[STATE.memory] as number;
    trail.part(READ.walkable, STATE.memory, 0, memory.walkable(before));
    return memory.walkable(ids[STATE.memory] as number);
  }

  function closeTlb(pe: number): void {
    const context = read(peComponent(pe, PE.context));
    const next = read(peComponent(pe, PE.pending));
    const walks = tlbs.walks(context);
    // A register write that is not synchronised may already be in force.
    const walksNext = next !== 0 && tlbs.walks(next);
    if (walks || walksNext) {
      const at = peComponent(pe, PE.tlb);
      const mem = walkedMemory();
      let closed = read(at);
      if (walks) closed = tlbs.close(closed, mem, context);
      if (walksNext) closed = tlbs.close(closed, mem, next);
      write(at, closed);
    }
    closeIcache(pe);
  }

  function closeIcache(pe: number): void {
    if (!modelsIcache) return;
    const at = peComponent(pe, PE.icache);
    const tlb = read(peComponent(pe, PE.tlb));
    write(at, icaches.close(read(at), tlb, memoryId(), read(peComponent(pe, PE.context))));
  }

  function load(state: State): void {
    ids.set(state);
    base.set(state);
    changed.fill(0);
    for (const w of windows) {
      if (!w.dirty) continue;
      w.dirty = false;
      w.id = -1;
    }
    ledger.forget();
    rawGhost.forget();
    rawGhost.noteChanges();
    if (slotChanges.length > 0) slotChanges = [];
  }

  function settle(): boolean {
    completeTlbis();
    for (let pe = 0; pe < peCount; pe += 1) {
      const w = windows[pe] as Window;
      if (w.dirty && !settling.settle(w, threads[pe] as ThreadEffects)) return false;
    }
    return true;
  }

  function changes(): Change {
    for (let pe = 0; pe < peCount; pe += 1) {
      const w = windows[pe] as Window;
      if (!w.dirty) continue;
      w.id = packWindow(w, windowPool);
      write(peComponent(pe, PE.window), w.id);
      w.dirty = false;
    }
    if (ledger.isChanged()) write(STATE.ledger, ledger.pack());
    const components: number[] = [];
    for (let at = STATE.ledger; at < size; at += 1) {
      // What has not been looked at may be anything, so it is a change even when it is the same here.
      const same = ids[at] === base[at] && trail.hasWhole(at);
      if (changed[at] === 1 && !same) components.push(at, ids[at] as number);
    }
    const slots: number[] = [];
    for (let i = 0; i < slotChanges.length; i += 2) {
      slots.push(memory.replacement(slotChanges[i] as number, slotChanges[i + 1] as number));
    }
    slotChanges = [];
    return { components, slots, ghost: rawGhost.changes() };
  }

  const draft: Draft = {
    ids: tables,
    memory,
    tlbs,
    threads,
    faults: setup.faults,
    initial: new Int32Array(0),
    trail,
    load,
    window,
    hasTranslation: (pe) => ask(pe, READ.translated, 0) !== 0,
    hasRead: (pe, cell) => ask(pe, READ.hasRead, cell) !== 0,
    hasBuiltFrom: (pe, cell) => ask(pe, READ.builtFrom, cell) !== 0,
    isMidAtomic: (pe, cell) => ask(pe, READ.midAtomic, cell) !== 0,
    memoryId,
    walkedMemory,
    cellCount() {
      trail.part(READ.cellCount, -1, 0, memory.cellCount());
      return memory.cellCount();
    },
    slot(cell) {
      const slot = memory.slot(ids[STATE.memory] as number, cell);
      for (let i = 0; i < slotChanges.length; i += 2) if (slotChanges[i] === cell) return slot;
      trail.part(READ.slot, STATE.memory, cell, slot);
      return slot;
    },
    setSlot(cell, slot) {
      ids[STATE.memory] = memory.withSlot(ids[STATE.memory] as number, cell, slot);
      slotChanges.push(cell, slot);
    },
    tlb: (pe) => read(peComponent(pe, PE.tlb)),
    setTlb(pe, tlbSet) {
      write(peComponent(pe, PE.tlb), tlbSet);
    },
    context: (pe) => read(peComponent(pe, PE.context)),
    pendingContext: (pe) => read(peComponent(pe, PE.pending)),
    setContexts(pe, context, next) {
      write(peComponent(pe, PE.context), context);
      write(peComponent(pe, PE.pending), next);
    },
    closeTlb,
    closeIcache,
    fetchable(pe, cell) {
      const { vmid } = tlbs.contexts.context(read(peComponent(pe, PE.context)));
      return icaches.values(read(peComponent(pe, PE.icache)), cell, vmid);
    },
    invalidateIcache(pe, cell, onlyVmid) {
      if (!modelsIcache) return;
      const at = peComponent(pe, PE.icache);
      write(at, icaches.invalidate(read(at), cell, onlyVmid));
      closeIcache(pe);
    },
    boundsMet: bounds.met,
    touchGhost() {
      rawGhost.load(ids[STATE.ghost] as number);
      return ghost;
    },
    freeSlot() {
      const table = slots();
      for (let slot = 0; slot < LEDGER_SLOTS; slot += 1)
        if (table[slot * SLOT_INTS] === 0) return slot;
      bounds.noSlot();
      return -1;
    },
    openSlot(slot, pe, invalidation, mask) {
      const table = slots();
      table[slot * SLOT_INTS] = pe + 1;
      table[slot * SLOT_INTS + 1] = invalidation;
      table[slot * SLOT_INTS + 2] = mask;
      ledger.touch();
    },
    slotIssuer: (slot) => (slots()[slot * SLOT_INTS] as number) - 1,
    slotInvalidation: (slot) => slots()[slot * SLOT_INTS + 1] as number,
    slotPending: (slot) => slots()[slot * SLOT_INTS + 2] as number,
    setSlotPending(slot, mask) {
      slots()[slot * SLOT_INTS + 2] = mask;
      ledger.touch();
    },
    evaluate: (pe, expr) => settling.evaluate(window(pe), expr),
    result: (pe, seq) => settling.result(window(pe), seq),
    address: (pe, index) => settling.address(window(pe), index),
    ended(pe) {
      const w = window(pe);
      if (w.head <= HEAD_WAITS || (threads[pe] as ThreadEffects).at(w.head) !== null) return false;
      for (let i = 0; i < w.count; i += 1) if (!settling.isDone(w, i)) return false;
      return true;
    },
    settle,
    changes,
    apply: createApply(memory, rawGhost),
    part: parts.part,
    pendingDeliveries: (state) => ledger.storedDeliveries(state[STATE.ledger] as number),
    canonicalise: (_, pe = -1) => pe,
    twins: () => 0,
  };

  const initial = initialState(setup, draft, {
    ledger: ledger.empty,
    ghost: rawGhost.initial,
    icache: icaches.empty,
    windowOf: (head) => packWindow({ ...emptyWindow(), head }, windowPool),
  });
  const symmetry = createSymmetry(
    setup,
    setup.threads.map((thread) => tlbs.contexts.id(thread.context)),
    ledger.pool,
    rawGhost,
  );
  return { ...draft, initial, ...symmetry };
}
