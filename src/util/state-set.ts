/**
 * A set of sequences of integers of one length, numbered in the order they were added, each with one
 * integer beside it (its parent in a search). Contents, hashes and the open-addressing table are typed arrays,
 * which lie outside of the JavaScript heap: nothing is allocated per sequence, and the garbage
 * collector has nothing to walk through.
 */
export interface StateSet {
  /**
   * Adds a sequence unless it is there. Returns its number: it is new when that was the size before.
   */
  add(sequence: Int32Array, parent: number): number;
  /** The number of a sequence, or -1. */
  find(sequence: Int32Array): number;
  /** Copies a sequence out. */
  read(id: number, into: Int32Array): void;
  parent(id: number): number;
  setParent(id: number, parent: number): void;
  size(): number;
  /** All of it, as it is in the set: good until something is added. */
  content(): StateSetContent;
  /** Bytes of all arrays. */
  bytes(): number;
}

/** Sequences and what is beside them, in the order in which they were added. */
export interface StateSetContent {
  readonly count: number;
  /** The integers of all sequences, in pieces. */
  readonly sequences: readonly Int32Array[];
  readonly parents: Int32Array;
}

/** Sequences of a chunk: contents grow by chunks, so that growing copies nothing. */
const CHUNK_BITS = 14;
const CHUNK = 1 << CHUNK_BITS;

/** The hash of the first `width` integers. */
export function hashOf(sequence: Int32Array, width: number): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < width; i += 1) {
    h = Math.imul(h ^ (sequence[i] as number), 0x9e3779b1);
    h ^= h >>> 15;
  }
  return h | 0;
}

/** An empty set of sequences of `width` integers. */
export function stateSet(width: number): StateSet {
  const chunks: Int32Array[] = [];
  let count = 0;
  let hashes = new Int32Array(1024);
  let parents = new Int32Array(1024);
  /** Number plus one; 0 is an empty place. */
  let table = new Int32Array(2048);
  let hash = 0;

  function equals(id: number, sequence: Int32Array): boolean {
    const chunk = chunks[id >> CHUNK_BITS] as Int32Array;
    const from = (id & (CHUNK - 1)) * width;
    for (let i = 0; i < width; i += 1) if (chunk[from + i] !== sequence[i]) return false;
    return true;
  }

  /** The place of a sequence, or the empty place where it would be; sets `hash`. */
  function placeOf(sequence: Int32Array): number {
    hash = hashOf(sequence, width);
    const mask = table.length - 1;
    let place = hash & mask;
    for (;;) {
      const id = (table[place] as number) - 1;
      if (id < 0 || (hashes[id] === hash && equals(id, sequence))) return place;
      place = (place + 1) & mask;
    }
  }

  function growTable(): void {
    const bigger = new Int32Array(table.length * 2);
    const mask = bigger.length - 1;
    for (let id = 0; id < count; id += 1) {
      let place = (hashes[id] as number) & mask;
      while (bigger[place] !== 0) place = (place + 1) & mask;
      bigger[place] = id + 1;
    }
    table = bigger;
  }

  function grown(array: Int32Array): Int32Array<ArrayBuffer> {
    const bigger = new Int32Array(array.length * 2);
    bigger.set(array);
    return bigger;
  }

  return {
    add(sequence, parent) {
      const place = placeOf(sequence);
      const known = (table[place] as number) - 1;
      if (known >= 0) return known;
      const id = count;
      if (id === hashes.length) {
        hashes = grown(hashes);
        parents = grown(parents);
      }
      if (id >> CHUNK_BITS === chunks.length) {
        // The first chunk starts small: most searches have a few states.
        chunks.push(new Int32Array((id === 0 ? 256 : CHUNK) * width));
      }
      let chunk = chunks[id >> CHUNK_BITS] as Int32Array;
      const from = (id & (CHUNK - 1)) * width;
      if (from === chunk.length) chunk = chunks[id >> CHUNK_BITS] = grown(chunk);
      for (let i = 0; i < width; i += 1) chunk[from + i] = sequence[i] as number;
      hashes[id] = hash;
      parents[id] = parent;
      table[place] = id + 1;
      count += 1;
      if (count * 2 > table.length) growTable();
      return id;
    },
    find: (sequence) => (table[placeOf(sequence)] as number) - 1,
    read(id, into) {
      const chunk = chunks[id >> CHUNK_BITS] as Int32Array;
      const from = (id & (CHUNK - 1)) * width;
      for (let i = 0; i < width; i += 1) into[i] = chunk[from + i] as number;
    },
    parent: (id) => parents[id] as number,
    setParent(id, parent) {
      parents[id] = parent;
    },
    size: () => count,
    content: () => ({
      count,
      sequences: chunks.map((chunk, i) => chunk.subarray(0, (count - i * CHUNK) * width)),
      parents: parents.subarray(0, count),
    }),
    bytes: () =>
      chunks.reduce((sum, { byteLength }) => sum + byteLength, 0) +
      hashes.byteLength +
      parents.byteLength +
      table.byteLength,
  };
}
