import type { MachineFaults } from './fault.ts';
import type { EffectInfo, ThreadEffects } from './effect-info.ts';
import type { IntSequencePool } from '../util/int-sequence-pool.ts';

/**
 * The window of a PE: its instruction instances in flight, in program order, each with what has
 * happened to it so far. In a state it is one integer, a hash-consed sequence:
 * `next node to fetch, n, n results,
 * (node, flags, result, cell, value, obligations, T obligations, source)*`.
 *
 * The n results are those of the first n effects of a thread whose later effects may still refer to
 * them: its oldest instances are dropped only when the window is full, and leave their results.
 */
export const INSTANCE_INTS = 8;

/** Most instances a window can hold: obligations and masks are 31 bits. */
export const MAX_WINDOW = 31;

/** Offsets inside an instance. */
export const AT = {
  node: 0,
  flags: 1,
  /** Id of the translation result, or -1. */
  result: 2,
  /** Cell of the access, or -1 while it is not known. */
  cell: 3,
  /** Id of the value read or written; for a TLBI its ledger slot. */
  value: 4,
  /** Ledger slots of TLBIs that wait for this access (or its fault event). */
  obligations: 5,
  /** Ledger slots of TLBIs that wait for the translation of this access. */
  translationObligations: 6,
  /** 1 + index of the instance a load was forwarded from, until that store is performed; or 0. */
  source: 7,
} as const;

/** What has happened to an instance. */
export const FLAG = {
  /** The translation has been done (its T event). */
  translated: 1,
  /** The translation ended in a fault. */
  faulted: 2,
  /** The fault event has happened. */
  faultDone: 4,
  /** The explicit read has been performed. */
  read: 8,
  /** The explicit write has been performed. */
  written: 16,
  /** Nothing will be written: a failed compare. */
  noWrite: 32,
  /** Barrier completed, TLBI or maintenance issued, lock taken, branch resolved ... */
  fired: 64,
  /** A TLBI is complete on all PEs. */
  complete: 128,
  /** The location was written by another observer after this read. */
  superseded: 256,
  /** A guessed branch, and the guess. */
  guessed: 512,
  guessTaken: 1024,
  /** Erratum: a delivered TLBI forgot to wait for this access. */
  owed: 2048,
  /** Erratum: and the DSB has completed. */
  overdue: 4096,
  /** Hardware has to set the access flag or dirty state in the descriptor (HU), and has not yet. */
  updatePending: 8192,
} as const;

/** Marks of the translation used (translation-entry.ts), from this bit on. */
export const MARK_SHIFT = 14;

/** A window unpacked for work. Buffers are reused: it is valid until the next `load`. */
export interface Window {
  head: number;
  count: number;
  /** Value ids (or -1) of effects that have left the window: the first instance is number `length`. */
  readonly results: number[];
  readonly ints: Int32Array;
  readonly infos: EffectInfo[];
  readonly faults: MachineFaults;
  dirty: boolean;
  /** Id of the stored window the buffer holds while it is not dirty, or -1. */
  id: number;
}

/** The next node is not known: the last instance must answer first. Below it: `ThreadEffects.failure`. */
export const HEAD_WAITS = -1;

/** An empty work buffer. */
export function emptyWindow(faults?: MachineFaults): Window {
  return {
    head: 0,
    count: 0,
    results: [],
    ints: new Int32Array((MAX_WINDOW + 1) * INSTANCE_INTS),
    infos: [],
    faults,
    dirty: false,
    id: -1,
  };
}

/** Unpacks a stored window. */
export function loadWindow(
  into: Window,
  pool: IntSequencePool,
  id: number,
  thread: ThreadEffects,
): void {
  const start = pool.start(id);
  const length = pool.length(id);
  const { arena } = pool;
  into.head = arena[start] as number;
  const kept = arena[start + 1] as number;
  into.results.length = kept;
  for (let i = 0; i < kept; i += 1) into.results[i] = arena[start + 2 + i] as number;
  const from = start + 2 + kept;
  const ints = length - 2 - kept;
  into.count = ints / INSTANCE_INTS;
  for (let i = 0; i < ints; i += 1) into.ints[i] = arena[from + i] as number;
  for (let i = 0; i < into.count; i += 1) {
    into.infos[i] = thread.at(into.ints[i * INSTANCE_INTS] as number) as EffectInfo;
  }
  into.dirty = false;
  into.id = id;
}

let packBuffer = new Int32Array((MAX_WINDOW + 1) * INSTANCE_INTS + 64);

/** Stores a window. */
export function packWindow(window: Window, pool: IntSequencePool): number {
  const kept = window.results.length;
  const ints = window.count * INSTANCE_INTS;
  const length = 2 + kept + ints;
  if (packBuffer.length < length) packBuffer = new Int32Array(length * 2);
  packBuffer[0] = window.head;
  packBuffer[1] = kept;
  for (let i = 0; i < kept; i += 1) packBuffer[2 + i] = window.results[i] as number;
  for (let i = 0; i < ints; i += 1) packBuffer[2 + kept + i] = window.ints[i] as number;
  return pool.intern(packBuffer, length);
}

/** One field of an instance. */
export function get(window: Window, index: number, field: number): number {
  return window.ints[index * INSTANCE_INTS + field] as number;
}

/** Sets one field of an instance. */
export function set(window: Window, index: number, field: number, value: number): void {
  window.ints[index * INSTANCE_INTS + field] = value;
  window.dirty = true;
}

/** Flags of an instance. */
export function flagsOf(window: Window, index: number): number {
  return window.ints[index * INSTANCE_INTS + AT.flags] as number;
}

/** Adds flags to an instance. */
export function addFlags(window: Window, index: number, flags: number): void {
  const at = index * INSTANCE_INTS + AT.flags;
  window.ints[at] = (window.ints[at] as number) | flags;
  window.dirty = true;
}

/** Takes flags from an instance. */
export function clearFlags(window: Window, index: number, flags: number): void {
  const at = index * INSTANCE_INTS + AT.flags;
  window.ints[at] = (window.ints[at] as number) & ~flags;
  window.dirty = true;
}

/** Appends an instance that has done nothing yet. */
export function append(window: Window, node: number, info: EffectInfo): void {
  const at = window.count * INSTANCE_INTS;
  window.ints.fill(0, at, at + INSTANCE_INTS);
  window.ints[at + AT.node] = node;
  window.ints[at + AT.result] = -1;
  window.ints[at + AT.cell] = -1;
  window.ints[at + AT.value] = -1;
  window.infos[window.count] = info;
  window.count += 1;
  window.dirty = true;
}

/** Index in the window of the thread's `seq`-th effect; negative when it has left the window. */
export function indexOf(window: Window, seq: number): number {
  return seq - window.results.length;
}

/** Drops the oldest instance. */
export function retireFirst(window: Window): void {
  window.ints.copyWithin(0, INSTANCE_INTS, window.count * INSTANCE_INTS);
  window.count -= 1;
  for (let i = 0; i < window.count; i += 1) {
    window.infos[i] = window.infos[i + 1] as EffectInfo;
    const at = i * INSTANCE_INTS + AT.source;
    if ((window.ints[at] as number) > 0) window.ints[at] = (window.ints[at] as number) - 1;
  }
  window.dirty = true;
}
