import type { NaiveState, Word, Written } from './state.ts';

const UNWRITTEN: Word = {
  poc: { value: 0n, version: 0 },
  dirty: null,
  clean: [],
  writes: 0,
  arrivals: 0,
};

/** The 8-byte word an address lies in. */
export function wordAddress(address: bigint): bigint {
  return address & ~7n;
}

/** The state of the word an address lies in. */
export function wordAt(state: NaiveState, address: bigint): Word {
  return state.words.get(wordAddress(address)) ?? UNWRITTEN;
}

/** What a cacheable read may return: the dirty copy, else any clean copy or the PoC. */
export function cacheableValues(word: Word): readonly Written[] {
  return word.dirty === null ? distinct([...word.clean, word.poc]) : [word.dirty];
}

/** What a read may return. Non-cacheable and Device reads go to the PoC. */
export function readableValues(word: Word, cacheable: boolean): readonly Written[] {
  return cacheable ? cacheableValues(word) : [word.poc];
}

/**
 * The word after a write. On a modelled line a cacheable write takes the line for itself, so every
 * other copy goes, and leaves the PoC behind; a non-cacheable one changes the PoC under the copies.
 */
export function afterWrite(word: Word, value: bigint, cacheable: boolean, lines: boolean): Word {
  const written: Written = { value, version: word.writes + 1 };
  const writes = word.writes + 1;
  const arrivals = word.arrivals + 1;
  if (!lines) return { poc: written, dirty: null, clean: [], writes, arrivals };
  return cacheable
    ? { ...word, dirty: written, clean: [], writes }
    : { ...word, poc: written, writes, arrivals };
}

/** The word after a clean copy of the PoC value was filled into some cache. */
export function afterFill(word: Word): Word {
  return { ...word, clean: distinct([...word.clean, word.poc]) };
}

/** The word after its dirty copy came to the PoC. */
function arrived(word: Word, dirty: Written): Word {
  return { ...word, poc: dirty, dirty: null, arrivals: word.arrivals + 1 };
}

/** The word after its dirty copy was written back; the copy stays, clean. Also DC CVAC. */
export function afterClean(word: Word): Word {
  return word.dirty === null ? word : { ...arrived(word, word.dirty), clean: [word.dirty] };
}

/** The word after DC CIVAC: cleaned, and no copy left in any cache. */
export function afterCleanInvalidate(word: Word): Word {
  const { dirty } = word;
  return { ...(dirty === null ? word : arrived(word, dirty)), clean: [] };
}

/** The word after DC IVAC: no copy left in any cache, a dirty one lost. */
export function afterInvalidate(word: Word): Word {
  return { ...word, dirty: null, clean: [] };
}

/** Bytes of a little-endian word, as a number. */
export function extract(word: bigint, address: bigint, bytes: number): bigint {
  return BigInt.asUintN(bytes * 8, word >> ((address & 7n) * 8n));
}

/** A little-endian word with some bytes replaced. */
export function insert(word: bigint, address: bigint, bytes: number, value: bigint): bigint {
  const shift = (address & 7n) * 8n;
  const mask = ((1n << BigInt(bytes * 8)) - 1n) << shift;
  return (word & ~mask) | ((value << shift) & mask);
}

function distinct(copies: readonly Written[]): readonly Written[] {
  return [...new Map(copies.map((copy) => [copy.version, copy])).values()].sort(
    (a, b) => a.version - b.version,
  );
}
