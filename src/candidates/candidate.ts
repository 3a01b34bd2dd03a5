import type { Features } from '../arm64/features.ts';
import type { Fault } from '../program/effect.ts';
import type { HostCode } from './host-code.ts';
import type { Kvm } from './kvm-v5_8/kvm.ts';
import type { Request } from './operation.ts';

/** A family of rules, as in the corpus: P1 to P8, and the rule that tables change under the lock. */
export type RuleFamily = 'P1' | 'P2' | 'P3' | 'P4' | 'P5' | 'P6' | 'P7' | 'P8' | 'locks';

/** What a scenario must contain for a refutation to show, besides one host PE and one vCPU PE. */
export type Need =
  /** A guest view of RAM that goes past the caches: MMU off, or non-cacheable stage 1. */
  | 'non-cacheable-guest'
  /** A second host thread that unmaps the same range. */
  | 'second-unmap'
  /** The vCPU's stage-2 faults enter the host, which maps the page again. */
  | 'fault-path'
  /** Two vCPUs on two PEs whose faults enter the host. */
  | 'two-faulting-vcpus'
  /** The lock may be dropped between two top-level entries, with pages in both. */
  | 'lock-drop'
  /** Two pages under one table. */
  | 'adjacent-pages'
  /** At least 512 pages of the granule in one part of the range. */
  | 'wide-range'
  /** A range whose end lies inside a page. */
  | 'unaligned-end'
  /** A table page that becomes empty and is freed, and is reused. */
  | 'freed-table'
  /** The host gives the page to another owner after the operation. */
  | 'page-reuse'
  /** A second VM with another VMID, active on the same PEs. */
  | 'second-vm';

/** What we expect the verifier to say, with one set of features. */
export type Expectation =
  | { readonly verdict: 'holds' }
  | {
      readonly verdict: 'refuted';
      /** The family that the shortest run breaks, then others that fall too. */
      readonly rules: readonly [RuleFamily, ...RuleFamily[]];
      /** In words, for the list of candidates. */
      readonly condition: string;
      readonly needs: readonly Need[];
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
  /** The operation under test on one PE, with its locks and announcements. */
  readonly host: (kvm: Kvm, request: Request) => HostCode;
  /** What the host does when a vCPU takes a stage-2 fault, after entry and before return. */
  readonly fault: (kvm: Kvm, fault: Fault) => HostCode<FaultOutcome>;
}

/** The verdict that holds everywhere. */
export const HOLDS: Expectation = { verdict: 'holds' };
