import { parseRegister } from '../assembly/operand.ts';
import { ZR, type Register } from '../assembly/instruction.ts';
import { reject } from '../problem.ts';
import { expectName, expectNumber, unexpected, type Tokens } from './tokens.ts';
import { afterName } from './value.ts';

/** A place that a final state has a value for. */
export type Location =
  | { readonly kind: 'register'; readonly thread: number; readonly register: Register }
  /** A variable; `index` is null for the variable itself, or an element of an array. */
  | { readonly kind: 'variable'; readonly name: string; readonly index: number | null }
  | { readonly kind: 'cell'; readonly name: string };

/** A key that is equal for equal locations. */
export function locationKey(location: Location): string {
  switch (location.kind) {
    case 'register':
      return `${location.thread}:${location.register}`;
    case 'variable':
      return location.index === null ? location.name : `${location.name}[${location.index}]`;
    case 'cell':
      return `PTE(${location.name})`;
  }
}

/** `0:X1`, `P0:X1`, `x`, `x[1]`, `pte_x`, `PTE(x)`, and each in brackets but registers. */
export function parseLocation(tokens: Tokens): Location {
  if (tokens.accept('[')) {
    const inner = parseGlobal(tokens);
    tokens.expect(']');
    return inner;
  }
  tokens.accept('*');
  const token = tokens.peek();
  const proc = /^P?(\d+)$/.exec(token.text);
  if (proc !== null && tokens.peek(1).text === ':') {
    tokens.next();
    tokens.next();
    const name = tokens.next();
    const sized = parseRegister(name.text);
    if (sized === null) {
      return reject('unsupported', name.at, `\`${name.text}\` is not a register that we know.`);
    }
    return { kind: 'register', thread: Number(proc[1]), register: sized.register };
  }
  return parseGlobal(tokens);
}

function parseGlobal(tokens: Tokens): Location {
  const token = tokens.peek();
  const value = afterName(tokens, expectName(tokens, 'a location'));
  if (value.kind === 'cell') return { kind: 'cell', name: value.name };
  if (value.kind !== 'variable') return unexpected(token, 'a location');
  if (tokens.peek().text !== '[') return { kind: 'variable', name: value.name, index: null };
  tokens.next();
  const index = Number(expectNumber(tokens));
  tokens.expect(']');
  return { kind: 'variable', name: value.name, index };
}

/** herd7's order: registers by thread and number, variables by name, page-table entries by name. */
export function compareLocations(a: Location, b: Location): number {
  const rank = (location: Location): number => {
    switch (location.kind) {
      case 'register':
        return 0;
      case 'variable':
        return location.index === null ? 1 : 3;
      case 'cell':
        return 2;
    }
  };
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (a.kind === 'register' && b.kind === 'register') {
    return a.thread - b.thread || registerRank(a.register) - registerRank(b.register);
  }
  if (a.kind === 'register' || b.kind === 'register') return 0;
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.kind === 'variable' && b.kind === 'variable' ? (a.index ?? 0) - (b.index ?? 0) : 0;
}

/** XZR comes before all others. */
function registerRank(register: Register): number {
  return register === ZR ? -1 : register;
}
