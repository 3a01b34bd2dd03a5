/**
 * A map from pairs of natural numbers to natural numbers, in typed arrays with open addressing: for
 * remembering what an operation on two ids came to. Nothing is allocated by a look-up.
 */
export interface PairMap {
  /** The value of a pair, or -1. */
  get(a: number, b: number): number;
  set(a: number, b: number, value: number): void;
}

/** Ints of an entry: the pair, and its value plus one, so that 0 is an empty place. */
const ENTRY_INTS = 3;

/** An empty map. */
export function pairMap(): PairMap {
  let places = 64;
  let table = new Int32Array(places * ENTRY_INTS);
  let count = 0;

  /** Where a pair is, or the empty place where it would be. */
  function find(a: number, b: number): number {
    let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
    hash ^= hash >>> 15;
    let place = hash & (places - 1);
    for (;;) {
      const at = place * ENTRY_INTS;
      if (table[at + 2] === 0 || (table[at] === a && table[at + 1] === b)) return at;
      place = (place + 1) & (places - 1);
    }
  }

  function grow(): void {
    const old = table;
    places *= 2;
    table = new Int32Array(places * ENTRY_INTS);
    for (let from = 0; from < old.length; from += ENTRY_INTS) {
      if (old[from + 2] === 0) continue;
      const at = find(old[from] as number, old[from + 1] as number);
      for (let i = 0; i < ENTRY_INTS; i += 1) table[at + i] = old[from + i] as number;
    }
  }

  return {
    get: (a, b) => (table[find(a, b) + 2] as number) - 1,
    set(a, b, value) {
      let at = find(a, b);
      if (table[at + 2] === 0) {
        count += 1;
        if (count * 2 > places) {
          grow();
          at = find(a, b);
        }
      }
      table[at] = a;
      table[at + 1] = b;
      table[at + 2] = value + 1;
    },
  };
}
