import type { Ghost } from './ghost.ts';
import type { Memory } from './memory.ts';
import { STATE, type Change, type State } from './state.ts';

/**
 * Makes changes in a state. What a change makes of a memory, or of ghost state, is remembered by both
 * (`Memory.replaced`, `Ghost.changed`), so nothing is allocated for one that is known.
 */
export function createApply(memory: Memory, ghost: Ghost): (change: Change, state: State) => void {
  return ({ components, slots, ghost: changes }, state) => {
    for (let i = 0; i < components.length; i += 2) {
      state[components[i] as number] = components[i + 1] as number;
    }
    for (let i = 0; i < slots.length; i += 1) {
      state[STATE.memory] = memory.replaced(state[STATE.memory] as number, slots[i] as number);
    }
    for (let i = 0; i < changes.length; i += 1) {
      state[STATE.ghost] = ghost.changed(state[STATE.ghost] as number, changes[i] as number);
    }
  };
}
