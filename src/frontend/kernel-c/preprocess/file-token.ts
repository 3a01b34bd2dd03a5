import { Flag } from './lex.ts';
import { failAt, type FileFrame, type State } from './state.ts';
import { P } from './symbols.ts';

/** Reads the next token of the files, carrying out the directives on the way; false at the end. */
export function fileToken(state: State): boolean {
  for (;;) {
    const frame = state.frames[state.frames.length - 1];
    if (frame === undefined) return false;
    const { file, next } = frame;
    if (next >= file.count) {
      leaveFile(state, frame);
      continue;
    }
    const flags = file.flags[next] ?? 0;
    const symbol = file.symbols[next] ?? 0;
    if (symbol === P['#'] && (flags & Flag.lineStart) !== 0) {
      state.directive(state, frame, next);
      continue;
    }
    frame.next = next + 1;
    state.symbol = symbol;
    state.flags = flags;
    state.location = file.base + (file.offsets[next] ?? 0);
    state.origin = 0;
    return true;
  }
}

/** The symbol of the next token of the innermost file; 0 at its end or before a directive. */
export function peekFileToken(state: State): number {
  const frame = state.frames[state.frames.length - 1];
  if (frame === undefined || frame.next >= frame.file.count) return 0;
  return frame.file.symbols[frame.next] ?? 0;
}

function leaveFile(state: State, frame: FileFrame): void {
  const open = state.conditions[state.conditions.length - 1];
  if (open !== undefined && state.conditions.length > frame.conditions) {
    throw failAt(state, open.location, 'this #if has no #endif in its file');
  }
  state.frames.pop();
}
