import { reject } from '../problem.ts';
import { expectName, expectNumber, numberOf, unexpected, type Tokens } from './tokens.ts';

/** What an output address is the address of. */
export interface OutputAddress {
  readonly kind: 'physical' | 'cell';
  readonly name: string;
}

/** A page-table entry as a test writes it; fields that are not written have their default. */
export interface EntryFields {
  readonly output: OutputAddress | null;
  readonly valid: number;
  readonly af: number;
  readonly db: number;
  readonly dbm: number;
  readonly el0: number;
  readonly x: number;
  readonly attributes: readonly string[];
}

/** A value of an initial state or condition. */
export type Value =
  | { readonly kind: 'number'; readonly value: bigint }
  /** Virtual address of a variable, or of an element of an array. */
  | { readonly kind: 'variable'; readonly name: string; readonly index: number }
  /** Physical address of a variable's page: `phy_x`, `PA(x)`. */
  | { readonly kind: 'physical'; readonly name: string }
  /** Address of a variable's page-table entry: `pte_x`, `PTE(x)`. */
  | { readonly kind: 'cell'; readonly name: string }
  | { readonly kind: 'label'; readonly thread: number; readonly label: string }
  | { readonly kind: 'entry'; readonly entry: EntryFields }
  /** All elements of an array; only in conditions. */
  | { readonly kind: 'array'; readonly values: readonly Value[] }
  /** Contents of PAR_EL1. */
  | { readonly kind: 'par'; readonly output: OutputAddress | null; readonly failed: boolean };

/** herd7's default entry (AArch64PteVal.ml, `prot_default`). */
export const DEFAULT_ENTRY: EntryFields = {
  output: null,
  valid: 1,
  af: 1,
  db: 1,
  dbm: 0,
  el0: 1,
  x: 1,
  attributes: [],
};

/** `pte_x` and `phy_x` are `PTE(x)` and `PA(x)` in one word. */
export function wordValue(name: string): Value {
  if (name.startsWith('pte_')) return { kind: 'cell', name: name.slice(4) };
  if (name.startsWith('phy_')) return { kind: 'physical', name: name.slice(4) };
  return { kind: 'variable', name, index: 0 };
}

/** `PTE(x)`, `TTD(x)`, `PA(x)`, `pte_x`, `phy_x` or `x`, after its first name was passed over. */
export function afterName(tokens: Tokens, name: string): Value {
  if (name === 'PTE' || name === 'TTD' || name === 'PA') {
    const at = tokens.peek().at;
    tokens.expect('(');
    const inner = expectName(tokens, 'the name of a variable');
    if (tokens.peek().text === '(') {
      return reject('unsupported', at, 'page-table entries of page tables are not supported.');
    }
    tokens.expect(')');
    return { kind: name === 'PA' ? 'physical' : 'cell', name: inner };
  }
  return wordValue(name);
}

/** A value: number, address, label, entry. */
export function parseValue(tokens: Tokens): Value {
  tokens.accept('&');
  const token = tokens.peek();
  if (token.kind === 'mark' && token.text === '(') return parseEntry(tokens);
  if (token.kind === 'number') {
    tokens.next();
    if (tokens.peek().text === ':' && tokens.peek(1).kind === 'name') {
      tokens.next();
      return { kind: 'label', thread: Number(token.text), label: tokens.next().text };
    }
    return { kind: 'number', value: numberOf(token.text) };
  }
  const name = expectName(tokens, 'a value');
  const colon = tokens.peek();
  if (colon.text === ':' && colon.kind === 'mark') {
    if (name === 'label') return parseLabel(tokens);
    if (name.toLowerCase() === 'parel1_t') return parsePar(tokens);
    if (/^P\d+$/.test(name)) {
      tokens.next();
      return {
        kind: 'label',
        thread: Number(name.slice(1)),
        label: expectName(tokens, 'a label'),
      };
    }
    if (name === 'instr') {
      return reject('unsupported', token.at, 'instructions as values are not supported.');
    }
    return reject('unsupported', colon.at, 'memory tags are not supported.');
  }
  const value = afterName(tokens, name);
  if (value.kind === 'variable' && tokens.peek().text === '[') {
    tokens.next();
    const index = Number(expectNumber(tokens));
    tokens.expect(']');
    return { ...value, index };
  }
  return value;
}

function parseLabel(tokens: Tokens): Value {
  tokens.expect(':');
  const token = tokens.next();
  const match = /^P?(\d+):(.+)$/.exec(token.text);
  if (token.kind !== 'string' || match === null) return unexpected(token, '"P0:L0"');
  return { kind: 'label', thread: Number(match[1]), label: match[2] ?? '' };
}

function parsePar(tokens: Tokens): Value {
  tokens.expect(':');
  tokens.expect('(');
  let output: OutputAddress | null = null;
  let failed = false;
  do {
    const field = expectName(tokens, '`oa` or `f`');
    tokens.expect(':');
    if (field === 'oa') output = parseOutput(tokens);
    else failed = expectNumber(tokens) !== 0n;
  } while (tokens.accept(','));
  tokens.expect(')');
  return { kind: 'par', output, failed };
}

function parseOutput(tokens: Tokens): OutputAddress {
  const token = tokens.peek();
  const value = afterName(tokens, expectName(tokens, 'an output address'));
  if (value.kind === 'physical' || value.kind === 'cell') {
    return { kind: value.kind, name: value.name };
  }
  return unexpected(token, 'an output address, such as PA(x)');
}

function parseEntry(tokens: Tokens): Value {
  tokens.expect('(');
  let entry: EntryFields = DEFAULT_ENTRY;
  do {
    const token = tokens.peek();
    const field = expectName(tokens, 'a field of a page-table entry');
    if (!tokens.accept(':')) {
      entry = { ...entry, attributes: [...entry.attributes, field] };
      continue;
    }
    switch (field) {
      case 'oa':
        entry = { ...entry, output: parseOutput(tokens) };
        break;
      case 'valid':
      case 'af':
      case 'db':
      case 'dbm':
      case 'el0':
      case 'x':
        entry = { ...entry, [field]: Number(expectNumber(tokens)) };
        break;
      case 'attrs':
      case 'Attrs': {
        tokens.expect('(');
        const names: string[] = [];
        do names.push(expectName(tokens, 'a memory attribute'));
        while (tokens.accept(','));
        tokens.expect(')');
        entry = { ...entry, attributes: [...entry.attributes, ...names] };
        break;
      }
      default:
        return unexpected(token, 'a field of a page-table entry');
    }
  } while (tokens.accept(','));
  tokens.expect(')');
  return { kind: 'entry', entry };
}
