import type { Draft } from './draft.ts';
import type { MachineSetup } from './setup.ts';
import { PE, peComponent, STATE, type State } from './state.ts';

/** What components are before anything has happened, as ids. */
interface Beginnings {
  readonly ledger: number;
  readonly ghost: number;
  readonly icache: number;
  /** A window with nothing in it yet, before a node. */
  readonly windowOf: (head: number) => number;
}

/** The initial state of a setup: every PE closed under its contexts, windows filled. */
export function initialState(setup: MachineSetup, draft: Draft, begin: Beginnings): State {
  const { memory, tlbs } = draft;
  const start = new Int32Array(STATE.pes + STATE.perPe * setup.threads.length);
  start[STATE.memory] = memory.initial;
  start[STATE.ledger] = begin.ledger;
  start[STATE.ghost] = begin.ghost;
  setup.threads.forEach((thread, pe) => {
    start[peComponent(pe, PE.window)] = begin.windowOf(thread.tree.root);
    start[peComponent(pe, PE.tlb)] = tlbs.empty;
    start[peComponent(pe, PE.context)] = tlbs.contexts.id(thread.context);
    start[peComponent(pe, PE.pending)] = 0;
    start[peComponent(pe, PE.icache)] = begin.icache;
  });
  draft.load(start);
  setup.threads.forEach((thread, pe) => {
    for (const previous of thread.previousContexts ?? []) {
      const id = tlbs.contexts.id(previous);
      draft.setTlb(pe, tlbs.close(draft.tlb(pe), memory.initial, id));
    }
    draft.closeTlb(pe);
    draft.window(pe).dirty = true;
  });
  if (!draft.settle()) throw new Error('the first branch of a thread contradicts itself');
  draft.apply(draft.changes(), start);
  return start;
}
