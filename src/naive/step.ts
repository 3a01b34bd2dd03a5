import type { Instance, NaiveState, Pe, Word } from './state.ts';
import { withPe } from './fetch-ahead.ts';
import { wordAddress } from './word.ts';

/** One transition that is enabled, with what it changes under the feet of fills. */
export interface Step {
  /** For people: which event, where. */
  readonly label: string;
  /** The state after it, before `settle`. */
  readonly next: NaiveState;
  /** Words that get a new value, lose copies, or are accessed at the PoC. */
  readonly touches: readonly bigint[];
  /** The PE whose TLB, I-cache or context in force changes, `all`, or null. */
  readonly disturbs: number | 'all' | null;
  /** It only ever enables others (see `steps.ts`), so it may be taken at once. */
  readonly eager: boolean;
}

/** A step that touches nothing shared. */
export function quiet(label: string, next: NaiveState): Step {
  return { label, next, touches: [], disturbs: null, eager: false };
}

/** The state with one instance replaced. */
export function withInstance(
  state: NaiveState,
  index: number,
  at: number,
  change: Partial<Instance>,
): NaiveState {
  const pe = state.pes[index];
  if (pe === undefined) return state;
  const window = pe.window.map((old, i) => (i === at ? { ...old, ...change } : old));
  return withPe(state, index, { ...pe, window });
}

/** The state with one PE changed. */
export function withPeChange(
  state: NaiveState,
  index: number,
  change: (pe: Pe) => Partial<Pe>,
): NaiveState {
  const pe = state.pes[index];
  return pe === undefined ? state : withPe(state, index, { ...pe, ...change(pe) });
}

/** The state with one word replaced. */
export function withWord(state: NaiveState, address: bigint, word: Word): NaiveState {
  return { ...state, words: new Map([...state.words, [wordAddress(address), word]]) };
}
