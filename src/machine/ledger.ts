import type { IdTables } from '../util/id-tables.ts';
import type { IntSequencePool } from '../util/int-sequence-pool.ts';

/** TLBIs outstanding at a time, over all PEs. Obligation masks have one bit each. */
export const LEDGER_SLOTS = 24;

/** Integers of a slot: 1 + issuer (0: free), invalidation, PEs it has still to be delivered to. */
export const SLOT_INTS = 3;

/** The outstanding TLBIs. In a state one integer; unpacked into a buffer for work. */
export interface Ledger {
  readonly pool: IntSequencePool;
  readonly empty: number;
  /** Unpacks, unless the buffer holds it already or has been changed since it was unpacked. */
  load(id: number): Int32Array;
  isChanged(): boolean;
  /** To be said after writing to what `load` returned. */
  touch(): void;
  pack(): number;
  /** Drops changes that were not packed. */
  forget(): void;
  /** Slots of the buffer that are delivered everywhere but not yet free, a bit each. */
  delivered(id: number): number;
  /** The same of a stored ledger, whatever is in the buffer. */
  storedDelivered(id: number): number;
  /** TLBIs of a stored ledger that are to be delivered, in order: slot, PEs, slot, PEs ... */
  storedDeliveries(id: number): readonly number[];
  /** Slots of a stored ledger that are to be delivered to a PE, a bit each. */
  storedPending(id: number, pe: number): number;
}

/** An empty ledger. */
export function createLedger(ids: IdTables): Ledger {
  const pool = ids.pool();
  const slots = new Int32Array(LEDGER_SLOTS * SLOT_INTS);
  const empty = pool.intern(slots, 0);
  const deliveries: (readonly number[] | undefined)[] = [];
  let loaded = -1;
  let changed = false;

  function deliveredIn(ints: Int32Array, from: number, length: number): number {
    let mask = 0;
    for (let slot = 0, at = from; slot * SLOT_INTS < length; slot += 1, at += SLOT_INTS) {
      if (ints[at] !== 0 && ints[at + 2] === 0) mask |= 1 << slot;
    }
    return mask;
  }

  function storedDelivered(id: number): number {
    return deliveredIn(pool.arena, pool.start(id), pool.length(id));
  }

  return {
    pool,
    empty,
    load(id) {
      if (!changed && loaded !== id) {
        slots.fill(0);
        pool.copy(id, slots);
        loaded = id;
      }
      return slots;
    },
    isChanged: () => changed,
    touch() {
      changed = true;
    },
    pack() {
      // Whole slots, the last one in use.
      let length = slots.length;
      while (length > 0 && slots[length - SLOT_INTS] === 0) length -= SLOT_INTS;
      loaded = pool.intern(slots, length);
      changed = false;
      return loaded;
    },
    forget() {
      if (changed) loaded = -1;
      changed = false;
    },
    delivered: (id) => (changed ? deliveredIn(slots, 0, slots.length) : storedDelivered(id)),
    storedDelivered,
    storedDeliveries(id) {
      const known = deliveries[id];
      if (known !== undefined) return known;
      const found: number[] = [];
      const start = pool.start(id);
      for (let slot = 0; slot * SLOT_INTS < pool.length(id); slot += 1) {
        const mask = pool.arena[start + slot * SLOT_INTS + 2] as number;
        if (mask !== 0) found.push(slot, mask);
      }
      deliveries[id] = found;
      return found;
    },
    storedPending(id, pe) {
      const length = pool.length(id);
      let mask = 0;
      for (let slot = 0, at = pool.start(id); slot * SLOT_INTS < length; slot += 1) {
        if ((((pool.arena[at + 2] as number) >> pe) & 1) !== 0) mask |= 1 << slot;
        at += SLOT_INTS;
      }
      return mask;
    },
  };
}
