import type { Expr } from './expr.ts';
import type { SourceLocation } from './source-location.ts';

/**
 * What a thread may ask of the machine: one effect at a time, each with where it comes from.
 *
 * Effects are what the memory system, other observers and the safety rules can see. Everything else a
 * host does (its private variables, its control flow) stays inside the front end.
 */
export type Effect = EffectBody & { readonly location: SourceLocation };

/** Address of an access: through the translation under test, or outside of it. */
export type Place =
  /**
   * A physical address through the kernel's own linear map: Normal Write-Back cacheable, never
   * remapped during a scenario, so its translation is not an event.
   */
  | { readonly kind: 'physical'; readonly address: Expr }
  /** A virtual address of the PE's EL1&0 regime: a guest access, or any litmus access. */
  | { readonly kind: 'virtual'; readonly address: Expr; readonly unprivileged: boolean };

/** Load, store and atomic ordering, per access. */
export type Ordering = 'plain' | 'acquire' | 'acquire-pc' | 'release';

/** Shareability domain of a barrier. */
export type BarrierDomain = 'nsh' | 'ish' | 'osh' | 'sy';

/** Which earlier accesses a barrier orders, and which later ones (Arm ARM B2.3). */
export type BarrierLimit = 'full' | 'ld' | 'st';

/** Translation context of a PE. A change takes effect for sure at a context synchronisation event. */
export interface Context {
  /** Exception level the PE executes at. */
  readonly el: 0 | 1 | 2;
  readonly vmid: number;
  readonly asid: number;
  /** Stage 1 of EL1&0: off, or what TTBR0_EL1 and TCR_EL1 say; `root` is an IPA if stage 2 is on. */
  readonly stage1: StageControl | null;
  /** Stage 2: off, or what VTTBR_EL2 and VTCR_EL2 say; `root` is a PA. */
  readonly stage2: StageControl | null;
}

/** The control of one stage of translation. */
export interface StageControl {
  /** Base address of the root table (the first one, where root tables are concatenated). */
  readonly root: bigint;
  /** Hardware management of the access flag and dirty state (TCR.HA/HD, VTCR.HA/HD). */
  readonly hardwareUpdate: 'none' | 'af' | 'af+dbm';
}

export type EffectBody =
  | {
      readonly kind: 'load';
      readonly at: Place;
      readonly bytes: 1 | 2 | 4 | 8;
      readonly order: Ordering;
      /**
       * Present for an address translation instruction (AT): memory is not read, the result is the
       * physical address that such an access would have, and a fault is no exception.
       */
      readonly translatesFor?: 'read' | 'write';
      /** Load-exclusive: opens an exclusive pair. */
      readonly exclusive: boolean;
      /** The front end cannot go on without the value: the window of the PE ends here. */
      readonly wanted: boolean;
    }
  | {
      readonly kind: 'store';
      readonly at: Place;
      readonly bytes: 1 | 2 | 4 | 8;
      readonly data: Expr;
      readonly order: Ordering;
      /** Store-exclusive: result 0 on success, 1 on failure. */
      readonly exclusive: boolean;
      /** The front end must know whether it faulted before it can go on. */
      readonly wanted: boolean;
    }
  | {
      /** Atomic read-modify-write; the result is the old value. */
      readonly kind: 'rmw';
      readonly at: Place;
      readonly bytes: 1 | 2 | 4 | 8;
      /** New value from old value and operand; `null`: nothing is written (a failed compare). */
      readonly update: (old: bigint, operands: readonly bigint[]) => bigint | null;
      readonly operands: readonly Expr[];
      /** What is written if anything is, where that does not depend on the old value (SWP, CAS). */
      readonly written?: Expr;
      /**
       * Compare-and-swap: nothing is written unless the old value equals this. Until that is known,
       * others may still write the location, and a failed compare needs no other operand.
       */
      readonly compare?: Expr;
      readonly acquire: boolean;
      readonly release: boolean;
      /** ST<op> forms and LD<op> to the zero register: the read orders nothing under DMB LD. */
      readonly noReturn: boolean;
      readonly wanted: boolean;
    }
  /** Instruction fetch and execution at an address: reads through the instruction cache. */
  | { readonly kind: 'fetch'; readonly at: Place; readonly wanted: boolean }
  | { readonly kind: 'dmb'; readonly limit: BarrierLimit }
  | {
      readonly kind: 'dsb';
      readonly limit: BarrierLimit;
      readonly domain: BarrierDomain;
      readonly nXS: boolean;
    }
  | { readonly kind: 'isb' }
  | {
      readonly kind: 'tlbi';
      /** Canonical name without `TLBI`: `IPAS2E1IS`, see src/arm64/tlbi.ts. */
      readonly op: string;
      /** The 64-bit register operand; constant 0 for forms that take none. */
      readonly operand: Expr;
      /** The VM this maintenance is meant for, for the rule on the right VMID; null when not said. */
      readonly intendedVmid: number | null;
    }
  /** Data cache maintenance by address, by the line that holds `at`. */
  | { readonly kind: 'dc'; readonly op: 'civac' | 'cvac' | 'ivac' | 'cvau'; readonly at: Place }
  | { readonly kind: 'ic'; readonly op: 'iallu' | 'ialluis' }
  | { readonly kind: 'ic'; readonly op: 'ivau'; readonly at: Place }
  /** System-register writes that change the translation context, not synchronised by themselves. */
  | { readonly kind: 'context'; readonly change: Partial<Context> }
  /** Taking an exception, or returning from one: context synchronisation events. */
  | { readonly kind: 'exception-entry'; readonly toEl: 1 | 2 }
  | {
      readonly kind: 'exception-return';
      readonly toEl: 0 | 1;
      /** Back into the kernel of a host at EL1, whose own translations carry the VMID in force. */
      readonly toHost?: true;
    }
  /**
   * A conditional branch. The machine guesses (answer 1: taken, 0: not taken) and checks the guess
   * once `condition` is known (taken when it is not 0).
   */
  | { readonly kind: 'branch'; readonly condition: Expr }
  /**
   * A conditional select or the compare of a CAS: guessed and checked like a branch, but nothing
   * waits for it except stores whose `Expr` was `picked` by it.
   */
  | { readonly kind: 'select'; readonly condition: Expr }
  /**
   * A free choice by the environment: the answer is one of 0 .. options-1. With no option at all
   * the run has no continuation and is not an execution. A `detached` choice is no instruction: it
   * waits for no more than all that follows waits for, orders nothing, and leaves the window when it
   * is made. For threads without translated accesses.
   */
  | { readonly kind: 'choose'; readonly options: number; readonly detached?: true }
  | { readonly kind: 'lock'; readonly lock: number }
  | { readonly kind: 'unlock'; readonly lock: number }
  /** A page from the allocator, zeroed; the answer is its PA. Freed pages are reused at once. */
  | { readonly kind: 'alloc-page'; readonly use: 'table' | 'guest' | 'host' }
  | { readonly kind: 'free-page'; readonly page: bigint }
  | { readonly kind: 'announce'; readonly fact: Announcement };

/** What host code says about itself, for the safety rules; it has no effect on the machine. */
export type Announcement =
  /** An operation that removes guest translations has begun. */
  | { readonly kind: 'operation-begins'; readonly name: string; readonly vmid: number }
  /**
   * The operation has returned: from here on no access may use a translation of these IPA pages that
   * was removed before. `pages` are IPA page bases; with an `asid` they are VA page bases of stage 1
   * in that address space.
   */
  | {
      readonly kind: 'operation-returns';
      readonly name: string;
      readonly vmid: number;
      readonly asid?: number;
      readonly pages: readonly bigint[];
      /**
       * What the operation took away: the translations (absent: this), or only the right to write,
       * so that reads through an older entry are harmless.
       */
      readonly removes?: 'translations' | 'write-permission';
      /** Nobody else changes the tables: what they hold now is what the operation has left. */
      readonly alone?: true;
    }
  /** The host hands the page to another owner, who may read and write it. */
  | { readonly kind: 'page-reused'; readonly page: bigint }
  /**
   * The host or a coherent device reads the page through a cacheable alias and relies on it: the
   * value must be the last one the guest stored. The load follows as an effect of its own.
   */
  | { readonly kind: 'content-relied-on'; readonly page: bigint }
  /** A check that the code makes of itself has failed: WARN_ON or BUG_ON. */
  | { readonly kind: 'check-failed'; readonly check: 'WARN_ON' | 'BUG_ON' };

/** Why a translation failed. */
export interface Fault {
  readonly stage: 1 | 2;
  readonly cause: 'translation' | 'access-flag' | 'permission' | 'address-size';
  /** Level of the descriptor that faulted. */
  readonly level: number;
  /** Input address: VA for stage 1, IPA for stage 2. */
  readonly address: bigint;
  /** A stage-2 fault on a stage-1 table walk. */
  readonly onWalk: boolean;
  readonly access: 'read' | 'write' | 'execute';
}

/** What the machine answers to an effect. */
export type Answer =
  /** Done, with nothing to tell; also a load whose value is not `wanted` at this time. */
  | { readonly kind: 'done' }
  | { readonly kind: 'value'; readonly value: bigint }
  | { readonly kind: 'fault'; readonly fault: Fault };

/** The answer that carries nothing. */
export const DONE: Answer = { kind: 'done' };
