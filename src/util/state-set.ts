/**
 * A set of sequences of integers of one length, numbered in the order they were added, each with one
 * integer beside it (in a search, where it came from). Contents, hashes and the open-addressing table are typed arrays,
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
  /** A copy of all of it. */
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

/** Integers of a place of the table. */
const PLACE = 2;

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
  /** Content and parent of each sequence: what is looked at together lies together. */
  const stride = width + 1;
  const chunks: Int32Array[] = [];
  let count = 0;
  /** Number plus one and hash; where the number is 0 the place is empty. */
  let table = new Int32Array(2048 * PLACE);
  let hash = 0;

  function equals(id: number, sequence: Int32Array): boolean {
    const chunk = chunks[id >> CHUNK_BITS] as Int32Array;
    const from = (id & (CHUNK - 1)) * stride;
    for (let i = 0; i < width; i += 1) if (chunk[from + i] !== sequence[i]) return false;
    return true;
  }

  /** The place of a sequence, or the empty place where it would be; sets `hash`. */
  function placeOf(sequence: Int32Array): number {
    hash = hashOf(sequence, width);
    const mask = table.length - 1;
    let place = (hash * PLACE) & mask;
    for (;;) {
      const id = (table[place] as number) - 1;
      if (id < 0 || (table[place + 1] === hash && equals(id, sequence))) return place;
      place = (place + PLACE) & mask;
    }
  }

  function growTable(): void {
    const bigger = new Int32Array(table.length * 2);
    const mask = bigger.length - 1;
    for (let from = 0; from < table.length; from += PLACE) {
      if (table[from] === 0) continue;
      let place = ((table[from + 1] as number) * PLACE) & mask;
      while (bigger[place] !== 0) place = (place + PLACE) & mask;
      bigger[place] = table[from] as number;
      bigger[place + 1] = table[from + 1] as number;
    }
    table = bigger;
  }

  function grown(array: Int32Array): Int32Array<ArrayBuffer> {
    const bigger = new Int32Array(array.length * 2);
    bigger.set(array);
    return bigger;
  }

  function parent(id: number): number {
    return (chunks[id >> CHUNK_BITS] as Int32Array)[(id & (CHUNK - 1)) * stride + width] as number;
  }

  function read(id: number, into: Int32Array, at: number): void {
    const chunk = chunks[id >> CHUNK_BITS] as Int32Array;
    const from = (id & (CHUNK - 1)) * stride;
    for (let i = 0; i < width; i += 1) into[at + i] = chunk[from + i] as number;
  }

  return {
    add(sequence, parent) {
      const place = placeOf(sequence);
      const known = (table[place] as number) - 1;
      if (known >= 0) return known;
      const id = count;
      if (id >> CHUNK_BITS === chunks.length) {
        // The first chunk starts small: most searches have a few states.
        chunks.push(new Int32Array((id === 0 ? 256 : CHUNK) * stride));
      }
      let chunk = chunks[id >> CHUNK_BITS] as Int32Array;
      const from = (id & (CHUNK - 1)) * stride;
      if (from === chunk.length) chunk = chunks[id >> CHUNK_BITS] = grown(chunk);
      for (let i = 0; i < width; i += 1) chunk[from + i] = sequence[i] as number;
      chunk[from + width] = parent;
      table[place] = id + 1;
      table[place + 1] = hash;
      count += 1;
      if (count * PLACE * 2 > table.length) growTable();
      return id;
    },
    find: (sequence) => (table[placeOf(sequence)] as number) - 1,
    read: (id, into) => read(id, into, 0),
    parent,
    setParent(id, parent) {
      (chunks[id >> CHUNK_BITS] as Int32Array)[(id & (CHUNK - 1)) * stride + width] = parent;
    },
    size: () => count,
    content() {
      const sequences = new Int32Array(count * width);
      const parents = new Int32Array(count);
      for (let id = 0; id < count; id += 1) {
        read(id, sequences, id * width);
        parents[id] = parent(id);
      }
      return { count, sequences: [sequences], parents };
    },
    bytes: () => chunks.reduce((sum, { byteLength }) => sum + byteLength, 0) + table.byteLength,
  };
}
