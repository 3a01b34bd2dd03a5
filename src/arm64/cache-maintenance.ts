/**
 * Where maintenance makes memory agree: the point of unification of instruction and data of a PE,
 * the point of coherency of all observers, or the point of persistence (FEAT_DPB).
 */
export type CachePoint = 'pou' | 'poc' | 'pop';

/** A cache maintenance instruction, or DC ZVA, as data. */
export interface CacheOp {
  /** Name as in assembly, for example `DC CIVAC`. */
  readonly name: string;
  readonly cache: 'data' | 'instruction';
  /**
   * `line`: the line of a virtual address, translated like a load. `block`: a naturally aligned block
   * of DCZID_EL0.BS size. `all`: the whole cache, no operand.
   */
  readonly target: 'line' | 'block' | 'all';
  /** The point up to which it acts; null for DC ZVA, which is a store. */
  readonly point: CachePoint | null;
  /** Writes dirty data back to the point. */
  readonly cleans: boolean;
  /** Drops the copies, so that the next cacheable read comes from beyond the point. */
  readonly invalidates: boolean;
  /** Writes zeroes. */
  readonly zeroes: boolean;
  /**
   * Whose caches: of the issuing PE, of its Inner Shareable domain, or of the domain that the memory
   * type of the address names (Outer Shareable for Device and Non-cacheable memory; for operations to
   * the point of unification never more than the Inner Shareable domain).
   */
  readonly scope: 'local' | 'inner' | 'of-address';
  /** One line on what is easy to get wrong. */
  readonly note: string;
}

function dataLine(
  name: string,
  point: CachePoint,
  cleans: boolean,
  invalidates: boolean,
  note: string,
): CacheOp {
  return {
    name,
    cache: 'data',
    target: 'line',
    point,
    cleans,
    invalidates,
    zeroes: false,
    scope: 'of-address',
    note,
  };
}

function instruction(
  name: string,
  target: 'line' | 'all',
  scope: CacheOp['scope'],
  note: string,
): CacheOp {
  return {
    name,
    cache: 'instruction',
    target,
    point: 'pou',
    cleans: false,
    invalidates: true,
    zeroes: false,
    scope,
    note,
  };
}

/** The operations Linux uses. None is complete before a DSB of the issuing PE; IC also needs an ISB. */
export const CACHE_OPS: readonly CacheOp[] = [
  dataLine('DC CVAC', 'poc', true, false, 'a clean copy stays and may be hit later'),
  dataLine('DC CIVAC', 'poc', true, true, 'a speculative fill may bring a copy back at once'),
  dataLine('DC IVAC', 'poc', false, true, 'may lose dirty data; a PE may also clean'),
  dataLine('DC CVAU', 'pou', true, false, 'enough for instruction fetch, not for other observers'),
  dataLine(
    'DC CVAP',
    'pop',
    true,
    false,
    'UNDEFINED without FEAT_DPB; cleans at least like DC CVAC',
  ),
  {
    name: 'DC ZVA',
    cache: 'data',
    target: 'block',
    point: null,
    cleans: false,
    invalidates: false,
    zeroes: true,
    scope: 'of-address',
    note: 'a store of zeroes: ordered and translated as one, and faults on Device memory',
  },
  instruction('IC IALLU', 'all', 'local', 'the issuing PE only'),
  instruction('IC IALLUIS', 'all', 'inner', 'every PE of the Inner Shareable domain'),
  instruction('IC IVAU', 'line', 'of-address', 'follows DC CVAU and a DSB unless CTR_EL0.DIC'),
];

/** Result of looking up an operation; the message is one sentence. */
export type ParsedCacheOp =
  | { readonly kind: 'cache-op'; readonly op: CacheOp }
  | { readonly kind: 'error'; readonly code: 'cache-op-unknown'; readonly message: string };

/** Finds an operation by its name as in assembly (`DC CIVAC`, `ic ialluis`); the case is ignored. */
export function parseCacheOp(name: string): ParsedCacheOp {
  const canonical = name.trim().toUpperCase().replaceAll(/\s+/g, ' ');
  const op = CACHE_OPS.find((candidate) => candidate.name === canonical);
  if (op !== undefined) return { kind: 'cache-op', op };
  const names = CACHE_OPS.map((candidate) => candidate.name).join(', ');
  return {
    kind: 'error',
    code: 'cache-op-unknown',
    message: `There is no cache operation "${name}"; known are ${names}.`,
  };
}
