import type { GiveId } from './id-tables.ts';

/**
 * Hash-consed sequences of 32-bit integers: equal sequences have equal ids, so a component of a state
 * is one integer and comparing two states compares a handful of integers (Spin calls it COLLAPSE).
 *
 * Sequences live one after the other in `arena`, which may be replaced when it grows: read it anew
 * after every `intern`.
 */
export interface IntSequencePool {
  /** All sequences, one after the other. */
  arena: Int32Array;
  /** The id of the first `length` integers of `source`; the sequence is copied when it is new. */
  intern(source: Int32Array, length: number): number;
  /** The same; nobody is told of a new sequence. */
  take(source: Int32Array, length: number): number;
  /** Where a sequence starts in the arena. */
  start(id: number): number;
  /** Number of integers in a sequence. */
  length(id: number): number;
  /** Copies a sequence to the start of `target` and returns its length. */
  copy(id: number, target: Int32Array): number;
  /** Number of different sequences. */
  size(): number;
}

/** An empty pool. `give` is told of new sequences while `isTold` says that somebody wants to know. */
export function intSequencePool(
  give?: GiveId,
  isTold: () => boolean = () => true,
): IntSequencePool {
  let starts = new Int32Array(1024);
  let hashes = new Int32Array(1024);
  let table = new Int32Array(2048).fill(-1);
  let count = 0;
  let used = 0;

  function hashOf(source: Int32Array, length: number): number {
    let h = 0x811c9dc5 ^ length;
    for (let i = 0; i < length; i += 1) {
      h = Math.imul(h ^ (source[i] as number), 0x9e3779b1);
      h ^= h >>> 15;
    }
    return h | 0;
  }

  function grow(): void {
    const bigger = new Int32Array(table.length * 2).fill(-1);
    const mask = bigger.length - 1;
    for (let id = 0; id < count; id += 1) {
      let at = (hashes[id] as number) & mask;
      while (bigger[at] !== -1) at = (at + 1) & mask;
      bigger[at] = id;
    }
    table = bigger;
  }

  /** The place of a sequence in the table, or the free place where it would be. */
  function placeOf(source: Int32Array, length: number, hash: number): number {
    const mask = table.length - 1;
    let at = hash & mask;
    for (;;) {
      const id = table[at] as number;
      if (id === -1) return at;
      if (hashes[id] === hash) {
        const from = starts[id] as number;
        const to = id + 1 < count ? (starts[id + 1] as number) : used;
        if (to - from === length) {
          let i = 0;
          while (i < length && pool.arena[from + i] === source[i]) i += 1;
          if (i === length) return at;
        }
      }
      at = (at + 1) & mask;
    }
  }

  /** Gives the next id to a sequence that is not there; `at` is its place in the table. */
  function add(source: Int32Array, length: number, hash: number, at: number): number {
    if (used + length > pool.arena.length) {
      const bigger = new Int32Array(Math.max(pool.arena.length * 2, used + length));
      bigger.set(pool.arena);
      pool.arena = bigger;
    }
    if (count === starts.length) {
      const s = new Int32Array(count * 2);
      s.set(starts);
      starts = s;
      const h = new Int32Array(count * 2);
      h.set(hashes);
      hashes = h;
    }
    for (let i = 0; i < length; i += 1) pool.arena[used + i] = source[i] as number;
    starts[count] = used;
    hashes[count] = hash;
    used += length;
    table[at] = count;
    count += 1;
    if (count * 2 > table.length) grow();
    return count - 1;
  }

  const pool: IntSequencePool = {
    arena: new Int32Array(8192),
    intern(source, length) {
      const hash = hashOf(source, length);
      const at = placeOf(source, length, hash);
      const id = table[at] as number;
      if (id >= 0) return id;
      if (give === undefined || !isTold()) return add(source, length, hash, at);
      // `source` may be a buffer that others use while the id is given.
      const sequence = source.slice(0, length);
      return give(
        () => table[placeOf(sequence, length, hash)] as number,
        () => add(sequence, length, hash, placeOf(sequence, length, hash)),
        () => sequence,
      );
    },
    take(source, length) {
      const hash = hashOf(source, length);
      const at = placeOf(source, length, hash);
      const known = table[at] as number;
      return known >= 0 ? known : add(source, length, hash, at);
    },
    start: (id) => starts[id] as number,
    length: (id) => (id + 1 < count ? (starts[id + 1] as number) : used) - (starts[id] as number),
    copy(id, target) {
      const from = starts[id] as number;
      const length = pool.length(id);
      for (let i = 0; i < length; i += 1) target[i] = pool.arena[from + i] as number;
      return length;
    },
    size: () => count,
  };
  return pool;
}
