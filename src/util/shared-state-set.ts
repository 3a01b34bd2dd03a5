import { hashOf, type StateSet } from './state-set.ts';

/** The memory of a set of states that several threads have. */
export interface SharedStates {
  readonly width: number;
  /** Most states. */
  readonly most: number;
  /** Integers of `AT`. */
  readonly control: SharedArrayBuffer;
  /** Open addressing: number plus one; 0 is an empty place, `BUSY` one in which a thread puts a state. */
  readonly table: SharedArrayBuffer;
  /** Hash, parent and content of each state. */
  readonly records: SharedArrayBuffer;
}

const AT = { count: 0, full: 1 } as const;
const BUSY = -1;
/** Instead of a parent: the state is not added. */
const ONLY_LOOK = -2;
/** Another thread was first. */
const TAKEN = -2;
/** Integers of a record before the content. */
const HEAD = 2;
/** Looks at a busy place before a thread goes to sleep, and for how many milliseconds. */
const SPINS = 1000;
const NAP = 1;

/** Shared memory for so many states. Pages of it that are not used take no memory. */
export function sharedStates(width: number, most: number): SharedStates {
  const ints = Int32Array.BYTES_PER_ELEMENT;
  let places = 1024;
  while (places < most * 2) places *= 2;
  return {
    width,
    most,
    control: new SharedArrayBuffer(2 * ints),
    table: new SharedArrayBuffer(places * ints),
    records: new SharedArrayBuffer(most * (width + HEAD) * ints),
  };
}

/**
 * A set of states in shared memory (`StateSet`): threads add to it at the same time without a lock. A
 * thread that finds the empty place of a state marks it busy by one atomic exchange, writes the
 * state, and puts its number there; whoever comes to a busy place waits, for a few
 * instructions of the other thread. When the set is full nothing more is added: `add` returns -1 for
 * what is not there, and `isFull` says so.
 */
export function sharedStateSet({
  width,
  most,
  control,
  table: places,
  records: memory,
}: SharedStates): StateSet & {
  readonly isFull: () => boolean;
} {
  const state = new Int32Array(control);
  const table = new Int32Array(places);
  const records = new Int32Array(memory);
  const mask = table.length - 1;
  const stride = width + HEAD;

  /** What is at a place, when nobody is putting something there. */
  function settled(place: number): number {
    for (let tries = 1; ; tries += 1) {
      const found = Atomics.load(table, place);
      if (found !== BUSY) return found;
      if (tries % SPINS === 0) Atomics.wait(table, place, BUSY, NAP);
    }
  }

  function isAt(id: number, hash: number, sequence: Int32Array): boolean {
    const from = id * stride;
    if (records[from] !== hash) return false;
    for (let i = 0; i < width; i += 1) if (records[from + HEAD + i] !== sequence[i]) return false;
    return true;
  }

  /** Puts a sequence into the place, which was empty: its number, -1 when all is full, TAKEN. */
  function put(place: number, hash: number, sequence: Int32Array, parent: number): number {
    if (Atomics.load(state, AT.count) >= most) {
      Atomics.store(state, AT.full, 1);
      return -1;
    }
    if (Atomics.compareExchange(table, place, 0, BUSY) !== 0) return TAKEN;
    const id = Atomics.add(state, AT.count, 1);
    if (id >= most) {
      Atomics.store(state, AT.full, 1);
      Atomics.store(table, place, 0);
      return -1;
    }
    const from = id * stride;
    records[from] = hash;
    records[from + 1] = parent;
    for (let i = 0; i < width; i += 1) records[from + HEAD + i] = sequence[i] as number;
    Atomics.store(table, place, id + 1);
    return id;
  }

  function find(sequence: Int32Array, hash: number, parent: number): number {
    for (let place = hash & mask; ;) {
      const found = settled(place);
      if (found === 0) {
        if (parent === ONLY_LOOK) return -1;
        const id = put(place, hash, sequence, parent);
        if (id !== TAKEN) return id;
        continue;
      }
      if (isAt(found - 1, hash, sequence)) return found - 1;
      place = (place + 1) & mask;
    }
  }

  const size = (): number => Math.min(most, Atomics.load(state, AT.count));
  return {
    add: (sequence, parent) => find(sequence, hashOf(sequence, width), parent),
    find: (sequence) => find(sequence, hashOf(sequence, width), ONLY_LOOK),
    read(id, into) {
      const from = id * stride + HEAD;
      for (let i = 0; i < width; i += 1) into[i] = records[from + i] as number;
    },
    parent: (id) => records[id * stride + 1] as number,
    setParent(id, parent) {
      records[id * stride + 1] = parent;
    },
    size,
    content() {
      const count = size();
      const sequences = new Int32Array(count * width);
      const parents = new Int32Array(count);
      for (let id = 0; id < count; id += 1) {
        const from = id * stride;
        parents[id] = records[from + 1] as number;
        sequences.set(records.subarray(from + HEAD, from + stride), id * width);
      }
      return { count, sequences: [sequences], parents };
    },
    bytes: () => size() * stride * Int32Array.BYTES_PER_ELEMENT + table.byteLength,
    isFull: () => Atomics.load(state, AT.full) === 1,
  };
}
