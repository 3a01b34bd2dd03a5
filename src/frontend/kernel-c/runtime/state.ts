import type { Environment } from './environment.ts';

/** What a thread's PE and its private bookkeeping hold beside the state of the VM. Never written. */
export interface RuntimeState {
  readonly registers: ReadonlyMap<string, bigint>;
  /** Reference counts of table pages; only this thread changes them. */
  readonly counts: ReadonlyMap<bigint, number>;
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
    held: [],
    atEl2: environment.features.vhe,
  };
}

/** A text that is equal for equal states. */
export function stateKey({ registers, counts, held, atEl2 }: RuntimeState): string {
  const values = [...registers].sort(([a], [b]) => (a < b ? -1 : 1));
  const pages = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  return `${values.join(';')}|${pages.join(';')}|${held.join(',')}|${atEl2 ? 2 : 1}`;
}

/** The same state with another value in a register. */
export function withRegister(state: RuntimeState, name: string, value: bigint): RuntimeState {
  return { ...state, registers: new Map(state.registers).set(name, value) };
}
