import type { Features } from '../arm64/features.ts';
import type { Fault } from '../program/effect.ts';
import type { HostCode } from './host-code.ts';
import type { Kvm } from './kvm-v5_8/kvm.ts';
import type { Request } from './operation.ts';

/**
 * A family of rules: P1 to P8 and P10 as in the corpus, P6 here the rule on the right VMID, and
 * `locks`: tables change only under the lock; `undefined`: only instructions that exist there;
 * `checks`: what the code checks itself.
 */
export type RuleFamily =
  'P1' | 'P2' | 'P3' | 'P4' | 'P5' | 'P6' | 'P7' | 'P8' | 'P10' | 'locks' | 'undefined' | 'checks';

/** What a scenario must contain for a refutation to show, besides one host PE and one vCPU PE. */
export type Need =
  /** A guest view of RAM that goes past the caches: MMU off, or non-cacheable stage 1. */
  | 'non-cacheable-guest'
  /** A second host thread that unmaps the same range. */
  | 'second-unmap'
  /**
   * The vCPU's stage-2 faults enter the host, which maps the page it has now, and no notifier count
   * keeps it out: the situation of `stage2_unmap_vm`. The host's page changes with the operation.
   */
  | 'fault-path'
  /** As before, but with the words of the notifier: the situation of `kvm_unmap_hva_range`. */
  | 'notified-fault-path'
  /** Two vCPUs on two PEs want the same unmapped page. */
  | 'two-faulting-vcpus'
  /** The lock may be dropped between two top-level entries, with pages in both. */
  | 'lock-drop'
  /** A further entry keeps every table alive: the flush of a dissolved table would hide the fault. */
  | 'kept-tables'
  /** A table becomes empty and is freed. */
  | 'freed-tables'
  /** Two pages under one table. */
  | 'adjacent-pages'
  /** At least 512 pages of the granule in one part of the range. */
  | 'wide-range'
  /** A range whose end lies inside a page. */
  | 'unaligned-end'
  /** The host gives the page to another owner after the operation. */
  | 'page-reuse'
  /** The pages lie in one aligned block of IPAs and of physical memory, mapped by pages. */
  | 'pages-of-a-block'
  /** The host puts new contents into the page, a fault maps it again, and a vCPU executes it. */
  | 'executed-again'
  /** The same, but a vCPU that goes past the caches reads it. */
  | 'read-again'
  /** The host hands the page to a reader on another PE. */
  | 'read-elsewhere';

/** One way in which a candidate fails. */
export interface Refutation {
  readonly rule: RuleFamily;
  /** In words, for the list of candidates. */
  readonly condition: string;
  readonly needs: readonly Need[];
}

/**
 * What we expect the verifier to say, with one set of features. A refuted candidate fails in every
 * scenario that has what one of its refutations needs; the first one is the shortest. A scenario that
 * looks for one family alone has to keep the others out: a guest whose view is cacheable for anything
 * but P5, and only the rule in question switched on where two fall together (P6 before P1).
 */
export type Expectation =
  | { readonly verdict: 'holds' }
  | {
      readonly verdict: 'refuted';
      readonly refutations: readonly [Refutation, ...Refutation[]];
    };

/** What the host did about a fault of the guest. */
export type FaultOutcome =
  /** The access may be tried again. */
  | 'retry'
  /** The host has no page there. */
  | 'no-page';

/** A function of a kernel version that a candidate mirrors. */
export interface Mirror {
  readonly kernel: string;
  readonly file: string;
  readonly function: string;
}

/**
 * `unmap`: removes the range. `remap`: maps the first page of the request to another physical page
 * (`newBacking`). `block`: replaces the pages of an aligned block by a block mapping. `write-protect`:
 * makes the range read-only. `fault`: nothing; the fault path is under test, on vCPU PEs.
 */
export type OperationKind = 'unmap' | 'remap' | 'block' | 'write-protect' | 'fault';

/** An idea for host code: what it does, where it comes from, and what we expect of it. */
export interface Candidate {
  /** Stable id: the kernel function, then the form. */
  readonly id: string;
  readonly title: string;
  readonly mirrors: readonly Mirror[];
  /** Message-ids, commits or corpus entries. */
  readonly reference: readonly string[];
  readonly expected: (features: Features) => Expectation;
  /** Why, from the architecture: one paragraph. */
  readonly why: string;
  /** What the operation of `host` does to the tables, so that a scenario can be made for it. */
  readonly operation: OperationKind;
  /** The operation under test on one PE, with its locks and announcements. */
  readonly host: (kvm: Kvm, request: Request) => HostCode;
  /** What the host does when a vCPU takes a stage-2 fault, after entry and before return. */
  readonly fault: (kvm: Kvm, fault: Fault) => HostCode<FaultOutcome>;
}

/** The verdict that holds everywhere. */
export const HOLDS: Expectation = { verdict: 'holds' };

/** The verdict "refuted", with at least one way. */
export function refuted(first: Refutation, ...others: readonly Refutation[]): Expectation {
  return { verdict: 'refuted', refutations: [first, ...others] };
}
