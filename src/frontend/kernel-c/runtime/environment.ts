import type { Features } from '../../../arm64/features.ts';

/**
 * Everything around the kernel code of one thread that its C does not say: plain data, given by a
 * profile. The runtime never adds to it: what is missing here stops the run with a sentence.
 */
export interface Environment {
  /** Where the linear map begins: virtual address = `linearBase` + physical address. */
  readonly linearBase: bigint;
  /** Physical memory ends here; no address above it is in the linear map. */
  readonly linearBytes: bigint;
  /** Where `struct page` of physical page 0 would lie, and the size of one. */
  readonly structPages: { readonly base: bigint; readonly size: bigint };
  readonly pageBytes: bigint;
  /** Objects of file scope without a definition, as far as they may be read. */
  readonly objects: ReadonlyMap<string, readonly ObjectField[]>;
  /** CPU capabilities by their number in this tree. */
  readonly capabilities: ReadonlyMap<number, Capability>;
  /** The hardware; with `vhe` the host runs at EL2. */
  readonly features: Features;
  /** System registers when the thread starts; no other can be read before it is written. */
  readonly registers: ReadonlyMap<string, bigint>;
  /** HCR_EL2.TGE, which must be clear when a guest's TLB entries are invalidated with VHE. */
  readonly hostBit: bigint;
  /** Pages that hold tables, with their reference counts, by physical address. */
  readonly tables: ReadonlyMap<bigint, number>;
  /** The allocator has those pages and no others: one more can be had only after one was given back. */
  readonly onlyTheseTables?: boolean;
  /**
   * Words of memory that hold the counts, by page, where several host threads change them; `null`: only
   * this thread does, and counts are its own business.
   */
  readonly countWords: ReadonlyMap<bigint, bigint> | null;
  /** The CPUs of the host: which one this thread runs on, and how many there are. */
  readonly cpus: { readonly self: number; readonly count: number };
  readonly words: TableWords;
  /** Words of `struct page` that hold something at the start, by virtual address. */
  readonly structWords?: ReadonlyMap<bigint, bigint>;
  /** Parts of objects that several host threads use, and the words of memory that stand for them. */
  readonly shared: readonly SharedPart[];
  /** Static keys by the name of their object: whether they are enabled. */
  readonly staticKeys: ReadonlyMap<string, Capability>;
  /** Feature registers as the kernel has sanitised them, by the encoding the tree uses. */
  readonly sanitised: ReadonlyMap<bigint, FeatureRegister>;
  /** Whether the kernel has a `struct page` for the physical page; `null` when nobody said. */
  readonly hasStructPage: (page: bigint) => boolean | null;
  /** The cache lines of an area that somebody looks at: maintenance of any other has no effect. */
  readonly watchedLines: (base: bigint, bytes: bigint) => readonly bigint[];
  /** IPA page bases that some access of a guest may use; VA page bases with an `asid`. */
  readonly watchedIpas: readonly bigint[];
  readonly locks: readonly LockPlace[];
  /** What `cond_resched_lock` does: decided here, or by the environment each time. */
  readonly reschedule: 'never' | 'always' | 'choose';
  /** The VM that the thread works for; 0 where it works for a process of its own kernel. */
  readonly vmid: number;
  /** The address space of the process that the thread works for, where stage 1 is what it changes. */
  readonly asid?: number;
}

/** Who writes table words, and so how much of a walk others can see. */
export type TableWords =
  /**
   * Each load is asked of the machine. `filled` are the words that hold something at the start; all
   * others of a table page are 0 for ever, and storing to one stops the run.
   */
  | { readonly kind: 'shared'; readonly filled: ReadonlySet<bigint> }
  /**
   * Only this thread writes table words, so a load can be answered from what it has written and is seen
   * by nobody. `start` is what memory holds at the start, 0 elsewhere.
   */
  /**
   * Several host threads write them: each access of a word that some walk of the scenario may read is
   * asked of the machine. All others hold for ever what `start` says, and storing to one stops the run.
   */
  | {
      readonly kind: 'several';
      readonly start: ReadonlyMap<bigint, bigint>;
      readonly observable: (word: bigint) => boolean;
    }
  | {
      readonly kind: 'own';
      readonly start: ReadonlyMap<bigint, bigint>;
      /** Whether some walk of the scenario may read the word: a store to any other is seen by nobody. */
      readonly observable: (word: bigint) => boolean;
      /** Hardware may change flags in a valid word: a load of one is asked of the machine. */
      readonly hardwareUpdates: boolean;
    };

/** A part of an object of file scope that lies in the memory of the machine. */
export interface SharedPart {
  readonly from: bigint;
  readonly to: bigint;
  /** Physical address that stands for `from`. */
  readonly physical: bigint;
}

/** The machine's locks of one lock of the kernel, one per CPU of the host: see `runtime/meanings/locks.ts`. */
export function locksOf(lock: number, { count }: Environment['cpus']): readonly number[] {
  return Array.from({ length: count }, (_, cpu) => lock * count + cpu);
}

/** A part of an object with a known value that does not change. */
export interface ObjectField {
  readonly offset: number;
  readonly size: number;
  readonly value: bigint;
  /** For reports of what was assumed. */
  readonly name: string;
}

/** A feature register, as far as the profile gives it. */
export interface FeatureRegister {
  readonly name: string;
  readonly value: bigint;
}

/** Something that is there or not: a CPU capability, or a static key that is enabled. */
export interface Capability {
  readonly name: string;
  readonly present: boolean;
}

/** A lock inside an object of file scope, and its number among the locks of the kernel. */
export interface LockPlace {
  readonly object: string;
  readonly offset: number;
  readonly lock: number;
}
