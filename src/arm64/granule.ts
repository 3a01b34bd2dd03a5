import { never } from '../util/never.ts';

/** A translation granule: the size of a page, and of a table page that is not a root. */
export type Granule = '4k' | '16k' | '64k';

/** Every granule, smallest first. */
export const GRANULES: readonly Granule[] = ['4k', '16k', '64k'];

/** Bytes of one descriptor. 128-bit descriptors (FEAT_D128) are not covered. */
export const DESCRIPTOR_BYTES = 8n;

/** log2 of the page size in bytes. */
export function pageShift(granule: Granule): number {
  switch (granule) {
    case '4k':
      return 12;
    case '16k':
      return 14;
    case '64k':
      return 16;
    default:
      return never(granule);
  }
}

/** Page size in bytes. */
export function pageBytes(granule: Granule): bigint {
  return 1n << BigInt(pageShift(granule));
}

/**
 * Input address bits resolved by one full table page: 9, 11 or 13. A page of 2^n bytes holds
 * 2^(n-3) descriptors of 8 bytes.
 */
export function bitsPerLevel(granule: Granule): number {
  return pageShift(granule) - 3;
}
