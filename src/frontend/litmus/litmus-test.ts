import type { MachineSetup } from '../../machine/setup.ts';
import type { LitmusThread } from './thread/litmus-thread.ts';

/** The end of one execution of a test, as the machine hands it over. */
export interface FinalState {
  /** Node of the thread's tree, where it has ended. */
  node(thread: number): number;
  /** Result of the thread's `seq`-th effect; undefined for effects that have none. */
  resultOf(thread: number, seq: number): bigint | undefined;
  /** The 8-byte word at an 8-byte aligned physical address. */
  memory(address: bigint): bigint;
}

/** A statement about final states. */
export type Proposition<Atom> =
  | { readonly kind: 'atom'; readonly atom: Atom }
  | { readonly kind: 'not'; readonly of: Proposition<Atom> }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Proposition<Atom>[] };

/** What a test claims: of all, of some, or of none of its executions. */
export type Quantifier = 'forall' | 'exists' | 'not-exists';

/** Addresses and values as the test would write them; in hexadecimal where it has no name for them. */
export interface TestNames {
  /** What lies at a virtual or physical address: `x`, `PTE(x)`. */
  address(address: bigint): string;
  /** `1`, `x`, `(oa:PA(x), valid:0)`. */
  value(value: bigint): string;
}

/** A test, ready to be run. */
export interface LitmusTest {
  readonly name: string;
  readonly format: 'herd' | 'isla';
  readonly file: string;
  readonly setup: MachineSetup;
  /** The trees in `setup`, with what observations need of them. */
  readonly threads: readonly LitmusThread[];
  readonly quantifier: Quantifier;
  /**
   * What of the final state the test shows: for herd7 tests its line in the list of states, exactly
   * as herd7 prints it; for isla tests `true` or `false`. Null when a `filter` leaves the execution
   * out.
   */
  observe(final: FinalState): string | null;
  readonly names: TestNames;
  /** Whether instructions of the test lie at an address. */
  isCode(address: bigint): boolean;
  /** Whether the statement behind the quantifier holds. */
  holds(final: FinalState): boolean;
}

/** Whether a proposition holds, given its atoms. */
export function holdsFor<Atom>(
  proposition: Proposition<Atom>,
  atomHolds: (atom: Atom) => boolean,
): boolean {
  switch (proposition.kind) {
    case 'atom':
      return atomHolds(proposition.atom);
    case 'not':
      return !holdsFor(proposition.of, atomHolds);
    case 'and':
      return proposition.of.every((part) => holdsFor(part, atomHolds));
    case 'or':
      return proposition.of.some((part) => holdsFor(part, atomHolds));
  }
}

/** The atoms of a proposition, from left to right. */
export function atomsOf<Atom>(proposition: Proposition<Atom>): readonly Atom[] {
  switch (proposition.kind) {
    case 'atom':
      return [proposition.atom];
    case 'not':
      return atomsOf(proposition.of);
    case 'and':
    case 'or':
      return proposition.of.flatMap((part) => atomsOf(part));
  }
}

/** herd7's word for how often a proposition held among the executions. */
export function observation(holding: number, others: number): 'Always' | 'Sometimes' | 'Never' {
  if (holding === 0) return 'Never';
  return others === 0 ? 'Always' : 'Sometimes';
}
