import type { Proposition, Quantifier } from '../litmus-test.ts';
import { reject, type Position } from '../problem.ts';
import { parseRegister } from '../assembly/operand.ts';
import { parseLocation, type Location } from './location.ts';
import { expectName, unexpected, type Tokens } from './tokens.ts';
import { parseElements } from './init.ts';
import { afterName, DEFAULT_ENTRY, parseValue, type Value } from './value.ts';

/** The kinds of faults that herd7 tells apart; null fields: any. */
export interface FaultAtom {
  readonly thread: number;
  readonly label: string | null;
  readonly at: { readonly kind: 'variable' | 'cell'; readonly name: string } | null;
  readonly type: FaultType | null;
}

/** A fault type as a condition names it; `D-MMU` and `MMU` differ in how they are printed. */
export interface FaultType {
  readonly side: 'I' | 'D' | 'any' | 'none';
  readonly kind: FaultKind;
}

export type FaultKind =
  | 'Translation'
  | 'AccessFlag'
  | 'Permission'
  | 'TagCheck'
  | 'UndefinedInstruction'
  | 'SupervisorCall';

/** An atom of a condition. */
export type HerdAtom =
  | {
      readonly kind: 'equal';
      readonly location: Location;
      readonly value: Value;
      readonly at: Position;
    }
  | { readonly kind: 'fault'; readonly fault: FaultAtom };

/** What is behind the code. */
export interface HerdTail {
  readonly locations: readonly Location[];
  readonly faults: readonly FaultAtom[];
  readonly filter: Proposition<HerdAtom> | null;
  readonly quantifier: Quantifier;
  readonly proposition: Proposition<HerdAtom>;
}

const TRUE: Proposition<HerdAtom> = { kind: 'and', of: [] };

/** Reads `locations [...]`, `filter ...` and the condition. */
export function parseTail(tokens: Tokens): HerdTail {
  const locations: Location[] = [];
  const faults: FaultAtom[] = [];
  if (tokens.accept('locations')) {
    tokens.expect('[');
    while (!tokens.accept(']')) {
      if (tokens.accept(';')) continue;
      const fault = parseFault(tokens);
      if (fault !== null) faults.push(fault);
      else {
        locations.push(parseLocation(tokens));
        if (tokens.peek().kind === 'name') tokens.next();
        tokens.accept('*');
      }
    }
  }
  const filter = tokens.accept('filter') ? parseProposition(tokens) : null;
  const { quantifier, proposition } = parseCondition(tokens);
  tokens.accept(';');
  if (tokens.peek().kind !== 'end' && !tokens.accept('with')) {
    return unexpected(tokens.peek(), 'the end of the test');
  }
  return { locations, faults, filter, quantifier, proposition };
}

function parseCondition(tokens: Tokens): {
  readonly quantifier: Quantifier;
  readonly proposition: Proposition<HerdAtom>;
} {
  const token = tokens.peek();
  if (token.kind === 'end') return { quantifier: 'forall', proposition: TRUE };
  if (tokens.accept('forall')) {
    return { quantifier: 'forall', proposition: parseProposition(tokens) };
  }
  if (tokens.accept('exists') || tokens.accept('final')) {
    return { quantifier: 'exists', proposition: parseProposition(tokens) };
  }
  if (tokens.accept('~') || tokens.accept('not')) {
    tokens.expect('exists');
    return { quantifier: 'not-exists', proposition: parseProposition(tokens) };
  }
  if (token.text === '(') return { quantifier: 'exists', proposition: parseProposition(tokens) };
  return unexpected(token, 'a condition');
}

/** As in herd7, `\\/` binds weakest, then `/\\`, then `=>` (to the right), then negation. */
function parseProposition(tokens: Tokens): Proposition<HerdAtom> {
  return parseList(tokens, '\\/', 'or', (inner) =>
    parseList(inner, '/\\', 'and', parseImplication),
  );
}

function parseList(
  tokens: Tokens,
  mark: string,
  kind: 'and' | 'or',
  parsePart: (tokens: Tokens) => Proposition<HerdAtom>,
): Proposition<HerdAtom> {
  const first = parsePart(tokens);
  if (tokens.peek().text !== mark) return first;
  const parts = [first];
  while (tokens.accept(mark)) parts.push(parsePart(tokens));
  return { kind, of: parts };
}

function parseImplication(tokens: Tokens): Proposition<HerdAtom> {
  const left = parseUnary(tokens);
  if (!tokens.accept('=>')) return left;
  return { kind: 'or', of: [{ kind: 'not', of: left }, parseImplication(tokens)] };
}

function parseUnary(tokens: Tokens): Proposition<HerdAtom> {
  if (tokens.accept('~') || tokens.accept('not')) return { kind: 'not', of: parseUnary(tokens) };
  if (tokens.accept('true')) return TRUE;
  if (tokens.accept('false')) return { kind: 'or', of: [] };
  if (tokens.accept('(')) {
    const inner = parseProposition(tokens);
    tokens.expect(')');
    return inner;
  }
  const fault = parseFault(tokens);
  if (fault !== null) return { kind: 'atom', atom: { kind: 'fault', fault } };
  return parseEquation(tokens);
}

function parseEquation(tokens: Tokens): Proposition<HerdAtom> {
  const { at } = tokens.peek();
  const location = parseLocation(tokens);
  const negated = tokens.accept('!=') || tokens.accept('<>');
  if (!negated && !tokens.accept('==')) tokens.expect('=');
  if (tokens.peek().text === '[') {
    return reject('unsupported', tokens.peek().at, 'this kind of comparison is not supported.');
  }
  const value =
    tokens.peek().text === '{'
      ? ({ kind: 'array', values: parseElements(tokens) } as const)
      : ownOutput(location, parseValue(tokens));
  if (value.kind === 'label' && parseRegister(value.label) !== null) {
    return reject('unsupported', at, 'comparing two locations is not supported.');
  }
  const atom: Proposition<HerdAtom> = {
    kind: 'atom',
    atom: { kind: 'equal', location, value, at },
  };
  return negated ? { kind: 'not', of: atom } : atom;
}

/** An entry without `oa`, compared with `PTE(x)`, has the output address of `x`. */
function ownOutput(location: Location, value: Value): Value {
  if (location.kind !== 'cell' || value.kind !== 'entry' || value.entry.output !== null) {
    return value;
  }
  const output = { kind: 'physical', name: location.name } as const;
  return { kind: 'entry', entry: { ...DEFAULT_ENTRY, ...value.entry, output } };
}

const FAULT_KINDS: ReadonlyMap<string, FaultKind> = new Map([
  ['Translation', 'Translation'],
  ['AccessFlag', 'AccessFlag'],
  ['Permission', 'Permission'],
]);

const OTHER_FAULTS: ReadonlyMap<string, FaultKind> = new Map([
  ['TagCheck', 'TagCheck'],
  ['UndefinedInstruction', 'UndefinedInstruction'],
  ['SupervisorCall', 'SupervisorCall'],
]);

/** `fault(P0)`, `fault(P0:L0)`, `fault(P0:L0,x)`, `fault(P0,x,MMU:Translation)`, or null. */
function parseFault(tokens: Tokens): FaultAtom | null {
  const token = tokens.peek();
  if ((token.text !== 'fault' && token.text !== 'Fault') || tokens.peek(1).text !== '(')
    return null;
  tokens.next();
  tokens.expect('(');
  const who = tokens.next();
  const proc = /^P?(\d+)$/.exec(who.text);
  if (proc === null) return unexpected(who, 'a thread');
  const label = tokens.accept(':') ? expectName(tokens, 'a label') : null;
  let at: FaultAtom['at'] = null;
  let type: FaultType | null = null;
  while (tokens.accept(',')) {
    const parsed: FaultType | null = type === null ? parseFaultType(tokens) : null;
    if (parsed !== null) {
      type = parsed;
      continue;
    }
    const place = tokens.peek();
    const value = afterName(tokens, expectName(tokens, 'a location or the type of a fault'));
    if (at !== null || (value.kind !== 'variable' && value.kind !== 'cell')) {
      return unexpected(place, 'a location or the type of a fault');
    }
    at = { kind: value.kind, name: value.name };
  }
  tokens.expect(')');
  return { thread: Number(proc[1]), label, at, type };
}

function parseFaultType(tokens: Tokens): FaultType | null {
  const { text } = tokens.peek();
  const other = OTHER_FAULTS.get(text);
  if (other !== undefined) {
    tokens.next();
    return { side: 'none', kind: other };
  }
  if (text !== 'MMU' && text !== 'D-MMU' && text !== 'I-MMU') return null;
  tokens.next();
  tokens.expect(':');
  const token = tokens.next();
  const kind = FAULT_KINDS.get(token.text) ?? unexpected(token, 'the kind of an MMU fault');
  return { side: text === 'MMU' ? 'any' : text === 'D-MMU' ? 'D' : 'I', kind };
}
