import { Flag } from './lex.ts';
import { nextToken } from './read-token.ts';
import { checkBudget, failAt, outermost, type State } from './state.ts';
import { P, spelling } from './symbols.ts';
import { pushToken } from './token-buffer.ts';

/** The arguments of one invocation: ranges of the arena, as written and as expanded. */
export interface Arguments {
  readonly start: number[];
  readonly end: number[];
  /** -1 until the expansion is asked for. */
  readonly expandedStart: number[];
  readonly expandedEnd: number[];
  /** False when a variadic macro was called without the comma before its last argument. */
  readonly hasVariadic: boolean;
}

/** Reads from `(` to the matching `)`; the arguments stay in the arena. */
export function collectArguments(
  state: State,
  macro: { readonly name: number; readonly parameters: number; readonly variadic: boolean },
  fromFile: boolean,
  location: number,
  origin: number,
): Arguments {
  nextToken(state, fromFile);
  const arena = state.arena;
  const start: number[] = [arena.length];
  const end: number[] = [];
  let nesting = 0;
  for (;;) {
    if (!nextToken(state, fromFile)) {
      throw failAt(
        state,
        outermost(state, location, origin),
        `the arguments of macro ${spelling(state.sources.symbols, macro.name)} are not closed by ")"`,
      );
    }
    const symbol = state.symbol;
    if (symbol === P['(']) nesting += 1;
    else if (symbol === P[')']) {
      if (nesting === 0) break;
      nesting -= 1;
    } else if (symbol === P[','] && nesting === 0) {
      if (!(macro.variadic && start.length === macro.parameters)) {
        end.push(arena.length);
        start.push(arena.length);
        continue;
      }
    }
    let flags = state.flags;
    if (state.macros[symbol]?.disabled === true) flags |= Flag.noExpand;
    pushToken(arena, symbol, flags, state.location, state.origin);
    if ((arena.length & 0xffff) === 0) checkBudget(state);
  }
  end.push(arena.length);
  let given = start.length;
  if (macro.parameters === 0 && given === 1 && start[0] === end[0]) given = 0;
  const hasVariadic = given >= macro.parameters;
  if (macro.variadic && given === macro.parameters - 1) {
    start.push(arena.length);
    end.push(arena.length);
    given += 1;
  }
  if (given !== macro.parameters) {
    throw failAt(
      state,
      outermost(state, location, origin),
      `macro ${spelling(state.sources.symbols, macro.name)} takes ${macro.parameters} arguments, ${given} given`,
    );
  }
  return {
    start,
    end,
    expandedStart: start.map(() => -1),
    expandedEnd: start.map(() => -1),
    hasVariadic,
  };
}
