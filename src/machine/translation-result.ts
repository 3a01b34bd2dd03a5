import type { TranslationInfo } from '../arm64/tlbi-match.ts';
import type { Fault } from '../program/effect.ts';
import type { TranslationEntry } from './translation-entry.ts';

/** One choice a translation has: what it came to, and the marks of what it used. */
export interface Translated {
  /** Id in `results`. */
  readonly result: number;
  readonly marks: number;
}

/** What one translation came to. */
export interface TranslationResult {
  /** Output address; meaningless when `fault` is set. */
  readonly pa: bigint;
  readonly cell: number;
  readonly fault: Fault | null;
  /** The faulting descriptor may not be cached: the fault comes from memory (R_XCLRD). */
  readonly uncacheableFault: boolean;
  /** The access goes past the data cache. */
  readonly bypassesCache: boolean;
  /** IPA of the access, when stage 2 is on and stage 1 succeeded. */
  readonly ipa: bigint | null;
  readonly vmid: number;
  readonly info: TranslationInfo;
  readonly path1: readonly number[];
  readonly path2: readonly number[];
  readonly leafPath2: readonly number[];
  /** What hardware has to write into a descriptor, atomically with the read of it; or null. */
  readonly update: DescriptorUpdate | null;
  /** The entry used; null for a fault that came from a walk. */
  readonly entry: TranslationEntry | null;
}

/** A hardware update of a descriptor: the cell and its new value. */
export interface DescriptorUpdate {
  readonly cell: number;
  readonly valueId: number;
}
