import type { IdTables } from '../util/id-tables.ts';
import { interner } from '../util/interner.ts';
import { pairMap } from '../util/pair-map.ts';
import type { PageFact, PageUse } from './facts.ts';
import type { MachineSetup } from './setup.ts';

/**
 * State that hardware does not have: what each page is used for and by whom, who holds a lock, what
 * was stored last. One integer in a state; unpacked into a buffer for work.
 */
export interface Ghost {
  readonly initial: number;
  /** Unpacks, unless the buffer holds it already or has been changed since it was unpacked. */
  load(id: number): void;
  pack(): number;
  isChanged(): boolean;
  /** Drops changes that were not packed. */
  forget(): void;
  /** Index of the page that holds the address, or -1. */
  pageOf(address: bigint): number;
  page(index: number): PageFact;
  setPage(index: number, use: PageUse, vmid: number | null, reused: boolean): void;
  /** The lowest free page, or -1. */
  freePage(): number;
  readonly pageCount: number;
  /** PE that holds the lock, or -1. */
  lockOwner(lock: number): number;
  setLockOwner(lock: number, pe: number): void;
  /** Number of locks that guard tables and that the PE holds. */
  locksHeld(pe: number): number;
  /** Value id last stored to the cell, or -1 when nobody has stored. */
  lastStored(cell: number): number;
  /** The same, if it was the host that stored last; otherwise -1. */
  lastStoredByHost(cell: number): number;
  setLastStored(cell: number, valueId: number, byHost: boolean): void;
  /** Begins to write down what is changed. */
  noteChanges(): void;
  /** Ends that: the numbers of the changes, in order, for `changed`. */
  changes(): readonly number[];
  /** What a change makes of the state with this id. */
  changed(id: number, change: number): number;
  /** Parts of the state with this id, packed: equal exactly when the part is. */
  packedPage(id: number, index: number): number;
  packedOwner(id: number, lock: number): number;
  packedHeld(id: number, pe: number): number;
  packedStored(id: number, cell: number): number;
}

/** What can be done to ghost state: which method, and its arguments as integers. */
type Change =
  | { readonly kind: 'page'; readonly index: number; readonly packed: number }
  | { readonly kind: 'lock'; readonly lock: number; readonly owner: number }
  | { readonly kind: 'stored'; readonly cell: number; readonly packed: number };

const USES: readonly PageUse[] = ['table', 'guest', 'host', 'free', 'device'];

/** Ghost state of one machine. */
export function createGhost(setup: MachineSetup, pageBits: number, ids: IdTables): Ghost {
  const pool = ids.pool();
  const { pages, locks } = setup;
  const shift = BigInt(pageBits);
  const byNumber = new Map(pages.map((page, index) => [page.base >> shift, index]));
  const fixed = pages.length + locks.length;
  const guards = setup.tableLocks ?? locks.map((_, lock) => lock);
  let ints = new Int32Array(fixed + 64);
  let length = fixed;

  function packPage(use: PageUse, vmid: number | null, reused: boolean): number {
    return USES.indexOf(use) | ((vmid === null ? 0 : vmid + 1) << 3) | (reused ? 1 << 24 : 0);
  }

  pages.forEach((page, index) => {
    ints[index] = packPage(page.use, page.vmid, false);
  });
  const initial = pool.intern(ints, length);
  let loaded = initial;
  let changed = false;

  /** Numbers of changes are in steps only, not in states. */
  const changeTable = interner<Change>();
  const changedMemo = pairMap();
  let noted: number[] = [];

  function storedAt(cell: number): number {
    for (let i = fixed; i < length; i += 2) if (ints[i] === cell) return i;
    return -1;
  }

  function forget(): void {
    if (changed) loaded = -1;
    changed = false;
  }

  function load(id: number): void {
    if (changed || loaded === id) return;
    loaded = id;
    if (pool.length(id) > ints.length) ints = new Int32Array(pool.length(id) * 2);
    length = pool.copy(id, ints);
  }

  function pack(): number {
    loaded = pool.intern(ints, length);
    changed = false;
    return loaded;
  }

  /** Does a change and writes down that it was done. */
  function change(key: string, what: Change): void {
    noted.push(changeTable.id(key, () => what));
    perform(what);
  }

  function perform(what: Change): void {
    changed = true;
    switch (what.kind) {
      case 'page':
        ints[what.index] = what.packed;
        return;
      case 'lock':
        ints[pages.length + what.lock] = what.owner;
        return;
      case 'stored': {
        let at = storedAt(what.cell);
        if (at < 0) at = insertStored(what.cell);
        ints[at + 1] = what.packed;
      }
    }
  }

  /** A place for a cell; in ascending order of cells, so that equal contents are equal sequences. */
  function insertStored(cell: number): number {
    let at = fixed;
    while (at < length && (ints[at] as number) < cell) at += 2;
    if (length + 2 > ints.length) {
      const bigger = new Int32Array(ints.length * 2);
      bigger.set(ints);
      ints = bigger;
    }
    ints.copyWithin(at + 2, at, length);
    ints[at] = cell;
    length += 2;
    return at;
  }

  return {
    initial,
    pageCount: pages.length,
    isChanged: () => changed,
    forget,
    load,
    pack,
    noteChanges() {
      noted = [];
    },
    changes() {
      const all = noted;
      noted = [];
      return all;
    },
    changed(id, number) {
      const known = changedMemo.get(id, number);
      if (known >= 0) return known;
      forget();
      load(id);
      perform(changeTable.item(number));
      const result = pack();
      changedMemo.set(id, number, result);
      return result;
    },
    packedPage: (id, index) => pool.arena[pool.start(id) + index] as number,
    packedOwner: (id, lock) => pool.arena[pool.start(id) + pages.length + lock] as number,
    packedHeld(id, pe) {
      const from = pool.start(id) + pages.length;
      let held = 0;
      for (const lock of guards) if (pool.arena[from + lock] === pe + 1) held += 1;
      return held;
    },
    packedStored(id, cell) {
      const from = pool.start(id);
      const end = from + pool.length(id);
      for (let i = from + fixed; i < end; i += 2) {
        if (pool.arena[i] === cell) return pool.arena[i + 1] as number;
      }
      return -1;
    },
    pageOf: (address) => byNumber.get(address >> shift) ?? -1,
    page(index) {
      const packed = ints[index] as number;
      const setupPage = pages[index];
      if (setupPage === undefined) throw new RangeError(`no page ${index}`);
      const vmid = (packed >> 3) & 0x1fffff;
      return {
        base: setupPage.base,
        name: setupPage.name,
        use: USES[packed & 7] as PageUse,
        vmid: vmid === 0 ? null : vmid - 1,
        reused: (packed & (1 << 24)) !== 0,
      };
    },
    setPage(index, use, vmid, reused) {
      const packed = packPage(use, vmid, reused);
      change(`p${index},${packed}`, { kind: 'page', index, packed });
    },
    freePage() {
      for (let i = 0; i < pages.length; i += 1) if (((ints[i] as number) & 7) === 3) return i;
      return -1;
    },
    lockOwner: (lock) => (ints[pages.length + lock] as number) - 1,
    setLockOwner(lock, pe) {
      change(`l${lock},${pe}`, { kind: 'lock', lock, owner: pe + 1 });
    },
    locksHeld(pe) {
      let held = 0;
      for (const lock of guards) if (ints[pages.length + lock] === pe + 1) held += 1;
      return held;
    },
    lastStored(cell) {
      const at = storedAt(cell);
      return at < 0 ? -1 : (ints[at + 1] as number) >> 1;
    },
    lastStoredByHost(cell) {
      const at = storedAt(cell);
      const packed = at < 0 ? 0 : (ints[at + 1] as number);
      return (packed & 1) === 0 ? -1 : packed >> 1;
    },
    setLastStored(cell, valueId, byHost) {
      const packed = (valueId << 1) | (byHost ? 1 : 0);
      change(`s${cell},${packed}`, { kind: 'stored', cell, packed });
    },
  };
}
