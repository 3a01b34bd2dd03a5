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
  /** Words of tables that hold something at the start; all others of a table page are 0 for ever. */
  readonly words: ReadonlySet<bigint>;
  /** Whether the kernel has a `struct page` for the physical page; `null` when nobody said. */
  readonly hasStructPage: (page: bigint) => boolean | null;
  /** The cache lines of an area that somebody looks at: maintenance of any other has no effect. */
  readonly watchedLines: (base: bigint, bytes: bigint) => readonly bigint[];
  readonly locks: readonly LockPlace[];
  /** What `cond_resched_lock` does: decided here, or by the environment each time. */
  readonly reschedule: 'never' | 'always' | 'choose';
  /** The VM that the thread works for. */
  readonly vmid: number;
}

/** A part of an object with a known value that does not change. */
export interface ObjectField {
  readonly offset: number;
  readonly size: number;
  readonly value: bigint;
  /** For reports of what was assumed. */
  readonly name: string;
}

export interface Capability {
  readonly name: string;
  readonly present: boolean;
}

/** A lock inside an object of file scope, and its index in the machine. */
export interface LockPlace {
  readonly object: string;
  readonly offset: number;
  readonly lock: number;
}
