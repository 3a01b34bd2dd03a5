import type { Environment } from './environment.ts';

/** What a thread's PE and its private bookkeeping hold beside the state of the VM. Never written. */
export interface RuntimeState {
  readonly registers: ReadonlyMap<string, bigint>;
  /** Reference counts of table pages; only this thread changes them. */
  readonly counts: ReadonlyMap<bigint, number>;
  /** Table words this thread has written, by physical address, where nobody else writes tables. */
  readonly written: ReadonlyMap<bigint, bigint>;
  /** Words of `struct page` this thread has written, by virtual address. */
  readonly structWords: ReadonlyMap<bigint, bigint>;
  /** Indices of the locks held. */
  readonly held: readonly number[];
  /** The PE is at EL2: always with VHE, during a hyp call without. */
  readonly atEl2: boolean;
}

/** The state in which a thread starts. */
export function initialState(environment: Environment): RuntimeState {
  return {
    registers: environment.registers,
    counts: environment.tables,
    written: new Map(),
    structWords: environment.structWords ?? new Map(),
    held: [],
    atEl2: environment.features.vhe,
  };
}

/** A text that is equal for equal states. */
export function stateKey(state: RuntimeState): string {
  const { registers, counts, written, structWords, held, atEl2 } = state;
  const parts = [text(registers), text(counts), text(written), text(structWords)];
  return `${parts.join('|')}|${held.join(',')}|${atEl2 ? 2 : 1}`;
}

function text<K, V>(map: ReadonlyMap<K, V>): string {
  return [...map]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${String(key)}=${String(value)}`)
    .join(';');
}

/** The same state with another value in a register. */
export function withRegister(state: RuntimeState, name: string, value: bigint): RuntimeState {
  return { ...state, registers: new Map(state.registers).set(name, value) };
}
