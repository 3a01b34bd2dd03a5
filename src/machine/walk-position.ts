import type { Level } from '../arm64/geometry.ts';
import type { MemoryType } from '../arm64/attributes.ts';
import type { TableRestrictions } from '../arm64/permissions.ts';
import type { Fault } from '../program/effect.ts';
import type { TranslationEntry } from './translation-entry.ts';

/** A walk that ends at a descriptor that cannot be cached. */
export interface WalkFault {
  readonly fault: Omit<Fault, 'access'>;
  readonly marks: number;
  /** Descriptors read, the faulting one last. */
  readonly path1: readonly number[];
  readonly path2: readonly number[];
  /** For an access-flag fault of stage 1: the leaf as it would be with the flag set. */
  readonly leaf: TranslationEntry | null;
}

/** A position in a stage-1 or stage-2 walk: the next table to read. */
export interface Position {
  readonly level: Level;
  readonly table: bigint;
  readonly marks: number;
  readonly path1: readonly number[];
  readonly path2: readonly number[];
  readonly restrictions: TableRestrictions;
}

/** Where stage 2 sends an IPA: one of possibly several answers. */
export interface Stage2Answer {
  readonly pa: bigint;
  readonly marks: number;
  readonly path2: readonly number[];
  /** The leaf entry, or null when stage 2 is off. */
  readonly leaf: TranslationEntry | null;
}

/** Called for every way a walk may end in a fault that cannot be cached. */
export type OnFault = (fault: WalkFault) => void;

/** What a walk-cache entry has instead of a memory type of its own. */
export const NORMAL_WB: MemoryType = {
  kind: 'normal',
  inner: 'wb',
  outer: 'wb',
  shareability: 'ish',
  xs: false,
};
