/**
 * What a computation over a state has looked at, in order: whole components, or parts of them that
 * are worth telling apart because they change less often than the component. A computation that is a
 * function of the state alone looks at the same things in the same order as long as it finds the same
 * values, so what it comes to can be found again by following its trail (step-memo.ts).
 */
export interface ReadTrail {
  /** Begins a trail. Without this nothing is written down. */
  start(): void;
  /** Ends it: groups of `READ_INTS` integers `kind, component, argument, value`. */
  stop(): readonly number[];
  /** A component has been looked at. */
  whole(component: number, value: number): void;
  /** A part of a component has been looked at; nothing new when the whole has been. */
  part(kind: number, component: number, argument: number, value: number): void;
  /** Whether the whole component is on the trail. */
  hasWhole(component: number): boolean;
}

/** Integers of one look. */
export const READ_INTS = 4;

/** What was looked at of a component. */
export const READ = {
  /** All of it: the value is its id. */
  whole: 0,
  /** Of memory: the slot of a cell. */
  slot: 1,
  /** Of memory: what walks can see of it. */
  walkable: 2,
  /** Not of the state: the number of cells touched so far. */
  cellCount: 3,
  /** Of the ghost state: a page, packed. */
  page: 4,
  /** Of the ghost state: the owner of a lock. */
  lockOwner: 5,
  /** Of the ghost state: the number of locks a PE holds. */
  locksHeld: 6,
  /** Of the ghost state: what was stored last to a cell, packed. */
  lastStored: 7,
  /** Of the ledger: the TLBIs delivered everywhere, a bit each. */
  delivered: 8,
  /** Of a window: the TLBIs that wait for something in it, a bit each. */
  obligations: 9,
  /** Of a window: whether it holds a translation. */
  translated: 10,
  /** Of a window: whether something in it has read a cell. */
  hasRead: 11,
  /** Of a window: whether it holds a translation built from a cell. */
  builtFrom: 12,
  /** Of a window: whether it is between the halves of an atomic on a cell. */
  midAtomic: 13,
  /** Of the ledger: the TLBIs that are to be delivered to a PE, a bit each. */
  pendingTo: 14,
} as const;

/** An empty trail over states of so many components. */
export function createReadTrail(components: number): ReadTrail {
  const wholes = new Uint8Array(components);
  const parts = new Set<number>();
  let active = false;
  let reads: number[] = [];
  return {
    start() {
      active = true;
      reads = [];
      wholes.fill(0);
      parts.clear();
    },
    stop() {
      active = false;
      return reads;
    },
    whole(component, value) {
      if (!active || wholes[component] === 1) return;
      wholes[component] = 1;
      reads.push(READ.whole, component, 0, value);
    },
    part(kind, component, argument, value) {
      if (!active || wholes[component] === 1) return;
      const key = (argument * components + component) * 16 + kind;
      if (parts.has(key)) return;
      parts.add(key);
      reads.push(kind, component, argument, value);
    },
    hasWhole: (component) => wholes[component] === 1,
  };
}
