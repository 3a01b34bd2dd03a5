import type { TranslationEntry } from './translation-entry.ts';

/**
 * What a step shows to the safety rules. Only steps that a rule can care about carry facts; the rest
 * share one empty list. Facts are about this machine's ghost state too (page owners, what returned).
 */
export type Fact =
  /** An explicit access or fetch was performed through a translation. */
  | {
      readonly kind: 'access';
      readonly pe: number;
      readonly vmid: number;
      readonly access: 'read' | 'write' | 'execute';
      readonly pa: bigint;
      readonly ipa: bigint | null;
      /** Descriptors used are no longer current. */
      readonly stale: boolean;
      /** The operation that removed the translation has returned. */
      readonly dead: boolean;
      /** The access needs a right that was taken away by an operation that has returned. */
      readonly rightRevoked: boolean;
      /** A DSB has already been taken for the completion of this access (errata only). */
      readonly overdue: boolean;
      /** Ghost state of the page it reached; null outside of the setup's pages. */
      readonly page: PageFact | null;
    }
  /** An operation that takes the right to write away has returned, and a walk still gives it. */
  | { readonly kind: 'right-left'; readonly pe: number; readonly address: bigint }
  /** The host relied on the contents of a page. */
  | {
      readonly kind: 'content-read';
      readonly pe: number;
      readonly pa: bigint;
      readonly value: bigint;
      /** What was stored last, by anyone, in the order of the run. */
      readonly lastStored: bigint;
    }
  /** A guest executed something older than what the host has put there. */
  | {
      readonly kind: 'stale-fetch';
      readonly pe: number;
      readonly pa: bigint;
      readonly value: bigint;
      readonly lastStored: bigint;
    }
  /** A guest read something older than what the host stored last, which nobody has stored to since. */
  | {
      readonly kind: 'stale-read';
      readonly pe: number;
      readonly pa: bigint;
      readonly value: bigint;
      readonly lastStored: bigint;
    }
  /** A walker may read a table page that has been freed. */
  | {
      readonly kind: 'freed-table-reachable';
      readonly pe: number;
      readonly page: bigint;
      readonly entry: TranslationEntry;
    }
  /** A PE may walk from a root table that has been freed. */
  | { readonly kind: 'freed-root-reachable'; readonly pe: number; readonly page: bigint }
  /** A PE may hold two translations of one input address whose change needs break-before-make. */
  | {
      readonly kind: 'two-live';
      readonly pe: number;
      readonly first: TranslationEntry;
      readonly second: TranslationEntry;
      readonly reason: string;
    }
  /** A TLBI was issued with this VMID in its context. */
  | {
      readonly kind: 'tlbi-issued';
      readonly pe: number;
      readonly op: string;
      readonly vmid: number;
      readonly intendedVmid: number | null;
    }
  /** The kernel of a host at EL1 goes on while the VMID of a VM is in force. */
  | { readonly kind: 'host-under-vmid'; readonly pe: number; readonly vmid: number }
  /** An instruction was executed that is UNDEFINED there. */
  | {
      readonly kind: 'undefined-instruction';
      readonly pe: number;
      readonly instruction: string;
      readonly reason: string;
    }
  /** A word of a table page was written. */
  | {
      readonly kind: 'table-written';
      readonly pe: number;
      readonly pa: bigint;
      /** Locks that guard tables and that the PE held. */
      readonly locksHeld: number;
      readonly pageUse: PageUse;
    }
  /** The host read or wrote a page that has been freed, through its own mapping. */
  | {
      readonly kind: 'freed-page-used';
      readonly pe: number;
      readonly access: 'read' | 'write';
      readonly pa: bigint;
      readonly name: string;
    }
  /** A check that the code under test makes of itself has failed. */
  | { readonly kind: 'check-failed'; readonly pe: number; readonly check: 'WARN_ON' | 'BUG_ON' }
  /** Found on the whole state graph, not by a step: see explore/progress.ts. */
  | { readonly kind: 'no-progress'; readonly message: string }
  /** The PE took a fault that the front end now handles. */
  | {
      readonly kind: 'fault-taken';
      readonly pe: number;
      readonly cause: string;
      readonly stage: 1 | 2;
      readonly address: bigint;
    };

export type PageUse = 'table' | 'guest' | 'host' | 'free' | 'device';

export interface PageFact {
  readonly base: bigint;
  readonly name: string;
  readonly use: PageUse;
  /** VMID of the owner, or null for the host. */
  readonly vmid: number | null;
  /** The host has handed the page to another owner. */
  readonly reused: boolean;
}

/** No facts: shared by all steps that show nothing. */
export const NO_FACTS: readonly Fact[] = [];
