import type { TableRestrictions, Permissions } from '../arm64/permissions.ts';
import type { MemoryType } from '../arm64/attributes.ts';
import type { Level } from '../arm64/geometry.ts';
import type { TlbiContext, TranslationInfo } from '../arm64/tlbi-match.ts';
import type { TlbiOp } from '../arm64/tlbi.ts';
import type { Answer, Context, Effect, Fault } from '../program/effect.ts';

/** The whole naive machine between two transitions: immutable, all of it in the key. */
export interface NaiveState {
  readonly pes: readonly Pe[];
  /** 8-byte words by address; a word that is absent was never written and holds 0. */
  readonly words: ReadonlyMap<bigint, Word>;
  /** TLBIs that were issued and are not yet complete. */
  readonly ledger: readonly Invalidation[];
  /** Per lock, the PE that holds it. */
  readonly locks: readonly (number | null)[];
  /** Pages the allocator would hand out, ascending. */
  readonly freePages: readonly bigint[];
}

/** One value of a word and the number of the write that made it, 0 for the initial one. */
export interface Written {
  readonly value: bigint;
  readonly version: number;
}

/**
 * One 8-byte word, which is also one cache line: two words never share a line here.
 *
 * Which cache holds a copy is not kept: a cacheable read that misses may be served by a peer or by
 * the system cache, so every copy can be hit from everywhere, and the number of caches has no bound.
 */
export interface Word {
  /** Value at the point of coherency. For words without modelled lines: the one coherent value. */
  readonly poc: Written;
  /** The dirty copy, newer than the PoC for cacheable observers; there are no clean ones beside it. */
  readonly dirty: Written | null;
  /** Clean copies, filled from the PoC at some time and not removed since. */
  readonly clean: readonly Written[];
  /** Number of writes so far: the version of the newest. */
  readonly writes: number;
  /**
   * Number of values that have come to the PoC. A line written back late puts an older write over a newer one there: reads past
   * the caches see the order of arrival.
   */
  readonly arrivals: number;
}

/** A descriptor that something was built from: the cell and the version read there. */
export interface CellVersion {
  readonly cell: bigint;
  readonly version: number;
}

/** What a stage-1 leaf says, after the restrictions of its tables. */
export interface Stage1Part {
  readonly level: Level;
  /** log2 of the addresses it maps. */
  readonly bits: number;
  /** First output address: an IPA under stage 2, otherwise a PA. */
  readonly output: bigint;
  readonly permissions: Permissions;
  readonly type: MemoryType;
  readonly global: boolean;
}

/** What a stage-2 leaf says. */
export interface Stage2Part {
  readonly level: Level;
  readonly bits: number;
  readonly output: bigint;
  readonly permissions: Permissions;
  readonly memAttr: number;
  readonly sh: number;
  readonly fnxs: boolean;
}

/** One entry of a PE's TLB. `base` is its first input address: a VA, or an IPA for stage 2. */
export type Entry = EntryBody & {
  readonly base: bigint;
  readonly vmid: number;
  readonly path: readonly CellVersion[];
};

export type EntryBody =
  /** A stage-1 walk cache entry. `next` is a PA, so under stage 2 it holds stage-2 information too. */
  | {
      readonly kind: 's1-table';
      readonly twoStage: boolean;
      readonly asid: number;
      readonly level: Level;
      readonly next: bigint;
      readonly restrictions: TableRestrictions;
    }
  /** VA to IPA; VA to PA where stage 2 is off. */
  | {
      readonly kind: 's1-leaf';
      readonly twoStage: boolean;
      readonly asid: number | null;
      readonly s1: Stage1Part;
    }
  | { readonly kind: 's2-table'; readonly level: Level; readonly next: bigint }
  | { readonly kind: 's2-leaf'; readonly s2: Stage2Part }
  /** VA to PA through both stages; `s1` is null where stage 1 is off. */
  | {
      readonly kind: 'combined';
      readonly asid: number | null;
      readonly s1: Stage1Part | null;
      readonly s2: Stage2Part;
    };

/** What the T event of an access came to. */
export interface Translation {
  /** Physical address and cacheability, or the fault. */
  readonly result:
    | { readonly kind: 'ok'; readonly pa: bigint; readonly cacheable: boolean }
    | { readonly kind: 'fault'; readonly fault: Fault };
  /** Every descriptor version that was used. */
  readonly path: readonly CellVersion[];
  /** What a TLBI must match to be about this translation. */
  readonly scope: TranslationInfo;
}

/** Where a performed read took its value: a write to memory, or an own store not yet performed. */
export type Source =
  | {
      readonly kind: 'memory';
      readonly version: number;
      /** For a read past the caches, which value at the PoC it was; null for one through them. */
      readonly arrival: number | null;
    }
  | { readonly kind: 'forwarded'; readonly from: number };

/** One instruction instance in the window of its PE. */
export interface Instance {
  /** Program-order index in the executed path. */
  readonly seq: number;
  /** Node of the thread tree before this effect. */
  readonly node: number;
  readonly effect: Effect;
  /** The guess of a branch, the value of a choice, or null. */
  readonly guess: bigint | null;
  /** The T event has happened, with this result. Null also for effects that are not translated. */
  readonly translation: Translation | null;
  /**
   * The last event of the instance has happened: the access is performed, its fault event is done,
   * the barrier has fired, the TLBI is issued, the register is written.
   */
  readonly done: boolean;
  /**
   * The value a load, atomic, fetch or allocation has got. An atomic that has one but is not done has
   * read and not yet written; until then nobody else writes the word or begins an atomic on it.
   */
  readonly value: bigint | null;
  readonly source: Source | null;
}

/** One PE. */
export interface Pe {
  /** Node before the next effect to fetch. */
  readonly node: number;
  /** Index of the next effect to fetch. */
  readonly nextSeq: number;
  /** Instances from the oldest unfinished one on, in program order. */
  readonly window: readonly Instance[];
  /** Answers of retired instances; `shown` when the outcome includes it. */
  readonly record: readonly Recorded[];
  /** Synchronised context before the window. */
  readonly context: Context;
  /** Contexts after each register write that retired but is not synchronised yet, oldest first. */
  readonly pending: readonly Context[];
  readonly tlb: readonly Entry[];
  readonly icache: readonly InstructionLine[];
}

export interface Recorded {
  readonly seq: number;
  readonly answer: Answer;
  readonly shown: boolean;
}

/** One I-cache line, of one word; tagged with the VMID where the cache is VPIPT. */
export interface InstructionLine {
  readonly pa: bigint;
  readonly vmid: number | null;
  readonly copy: Written;
}

/** A TLBI that was issued. */
export interface Invalidation {
  readonly pe: number;
  readonly seq: number;
  readonly op: TlbiOp;
  readonly operand: bigint;
  /** What was captured at issue. */
  readonly scope: TlbiContext;
  /** PEs it has not reached yet. */
  readonly undelivered: readonly number[];
  /** Events of other PEs that must happen before it is complete. */
  readonly obligations: readonly Obligation[];
}

/** `access`: the instance must be performed, or its fault event done; `translate`: its T. */
export interface Obligation {
  readonly pe: number;
  readonly seq: number;
  readonly event: 'access' | 'translate';
}
