import type { Features } from '../arm64/features.ts';
import type { AccessKind } from '../guest/access.ts';
import { MAX_WINDOW } from '../machine/window.ts';

/**
 * One situation in which a candidate is checked: plain data, so that it can be a file, a test value
 * and part of a replay. Bounds are part of it and are printed with every verdict.
 */
export interface Scenario {
  /** Candidate id. */
  readonly candidate: string;
  /** The machine. */
  readonly features: Features;
  readonly guest: Guest;
  /** vCPUs of the first VM, each on a PE of its own, beside the PE of the host. */
  readonly vcpus: number;
  /** Watched guest pages. */
  readonly pages: number;
  /** How they are mapped when the scenario starts. */
  readonly mapping: 'page' | 'block' | 'block1' | 'mixed' | 'unmapped';
  /**
   * On both sides of a border of top-level entries (the lock may be dropped there), in one table, or
   * in one table and physically in one aligned block.
   */
  readonly layout: 'across' | 'adjacent' | 'in-block';
  /** Every table keeps one further entry that nobody uses, so that none becomes empty. */
  readonly keepTables: boolean;
  /** The request: see the world's options. */
  readonly range: 'tight' | 'wide' | 'unaligned-end' | 'inside-block';
  /** How the guest sees its memory. */
  readonly view: GuestViewKind;
  /** What a stage-2 fault of a vCPU leads to: nothing, or the host's fault path on that PE. */
  readonly faults: 'ignored' | 'enter-host';
  /** With faults that enter the host: whether the notifier's words keep them out meanwhile. */
  readonly notifier: boolean;
  /** Host threads that run the operation, on PEs of their own. */
  readonly hosts: 1 | 2;
  /** A second VM with the same IPAs, with one vCPU on a PE of its own. */
  readonly secondVm: boolean;
  /** What the host does with the pages after the operation. */
  readonly afterwards:
    'nothing' | 'read' | 'reuse' | 'read-then-reuse' | 'refill' | 'read-elsewhere';
  /** Pages the allocator has before anything is freed. */
  readonly freePages: number;
  /** Whether the lock may be given away between top-level entries. */
  readonly reschedule: 'never' | 'always' | 'choose';
  /**
   * Instructions in flight per PE. As many as a window can hold unless there is a reason for fewer: a
   * window that is too small hides what a store that stays in flight for long makes possible.
   */
  readonly window: number;
}

/** Views of a guest, from the one that goes past the caches for everything to the ordinary one. */
export type GuestViewKind = 'mmu-off' | 'non-cacheable' | 'device' | 'cacheable';

/** What the vCPUs do. */
export type Guest =
  /** Any of these kinds of access, to any page, at any time, for ever. */
  | { readonly kind: 'general'; readonly kinds: readonly AccessKind[] }
  /** One list of accesses per vCPU, in order, each once. */
  | { readonly kind: 'trace'; readonly vcpus: readonly (readonly TraceAccess[])[] }
  /** Each vCPU wants one access and tries until it comes through; needs `enter-host`. */
  | { readonly kind: 'persistent'; readonly access: AccessKind };

/** One access of a trace. */
export interface TraceAccess {
  readonly access: AccessKind;
  /** Index of the watched page. */
  readonly page: number;
}

/** The scenario meant when nothing is said but the candidate and the machine. */
export function defaultScenario(candidate: string, features: Features): Scenario {
  return {
    candidate,
    features,
    guest: { kind: 'general', kinds: ['read', 'write'] },
    vcpus: 1,
    pages: 2,
    mapping: 'page',
    layout: 'across',
    keepTables: false,
    range: 'tight',
    view: 'mmu-off',
    faults: 'ignored',
    notifier: true,
    hosts: 1,
    secondVm: false,
    afterwards: 'read-then-reuse',
    freePages: 0,
    reschedule: 'choose',
    window: MAX_WINDOW,
  };
}
