import { fileToken, peekFileToken } from './file-token.ts';
import type { Macro } from './macro.ts';
import type { State } from './state.ts';
import { STRIDE } from './token-buffer.ts';

/** Reads one token into the state; false at the end. */
export function nextToken(state: State, fromFile: boolean): boolean {
  while (state.depth > state.floor) {
    const top = state.depth - 1;
    const at = state.contextNext[top] ?? 0;
    if (at < (state.contextEnd[top] ?? 0)) {
      const data = state.arena.data;
      state.symbol = data[at] ?? 0;
      state.flags = data[at + 1] ?? 0;
      state.location = data[at + 2] ?? 0;
      state.origin = data[at + 3] ?? 0;
      state.contextNext[top] = at + STRIDE;
      return true;
    }
    popContext(state);
  }
  return fromFile && fileToken(state);
}

export function pushContext(state: State, start: number, end: number, macro: Macro | null): void {
  state.contextNext[state.depth] = start;
  state.contextEnd[state.depth] = end;
  state.contextMacro[state.depth] = macro;
  state.depth += 1;
  if (macro !== null) macro.disabled = true;
}

function popContext(state: State): void {
  state.depth -= 1;
  const macro = state.contextMacro[state.depth];
  if (macro !== null && macro !== undefined) macro.disabled = false;
}

/** The token that `nextToken` would read, without reading it; 0 at the end. */
export function peekSymbol(state: State, fromFile: boolean): number {
  for (let top = state.depth - 1; top >= state.floor; top--) {
    const at = state.contextNext[top] ?? 0;
    if (at < (state.contextEnd[top] ?? 0)) return state.arena.data[at] ?? 0;
  }
  return fromFile ? peekFileToken(state) : 0;
}
