import type { Position } from '../problem.ts';
import { reject } from '../problem.ts';
import { parseLocation, type Location } from './location.ts';
import type { Tokens } from './tokens.ts';
import { DEFAULT_ENTRY, parseValue, type Value } from './value.ts';

/** The type of a location: how many bytes, and whether they are printed with a sign. */
export interface CellType {
  readonly bytes: 1 | 2 | 4 | 8;
  readonly signed: boolean;
}

/** herd7's default type is `int`. */
export const INT: CellType = { bytes: 4, signed: true };

/** Pointers and page-table entries. */
export const POINTER: CellType = { bytes: 8, signed: false };

const TYPES: ReadonlyMap<string, CellType> = new Map([
  ['int', INT],
  ['long', INT],
  ['atomic_t', { bytes: 4, signed: false }],
  ['int32_t', INT],
  ['uint32_t', { bytes: 4, signed: false }],
  ['char', { bytes: 1, signed: true }],
  ['int8_t', { bytes: 1, signed: true }],
  ['uint8_t', { bytes: 1, signed: false }],
  ['short', { bytes: 2, signed: true }],
  ['int16_t', { bytes: 2, signed: true }],
  ['uint16_t', { bytes: 2, signed: false }],
  ['int64_t', { bytes: 8, signed: true }],
  ['uint64_t', { bytes: 8, signed: false }],
  ['intptr_t', { bytes: 8, signed: true }],
  ['uintptr_t', POINTER],
  ['pteval_t', POINTER],
  ['parel1_t', POINTER],
]);

/** One entry of the initial state. */
export interface InitItem {
  readonly at: Position;
  readonly location: Location;
  /** Null: not said; `INT`, or `POINTER` when the value is an address or entry. */
  readonly type: CellType | null;
  /** One value, or the elements of an array. */
  readonly values: readonly Value[];
  readonly array: boolean;
}

/** The type that a location of the item has for herd7. */
export function typeOf(item: InitItem): CellType {
  if (item.type !== null) return item.type;
  const kind = item.values[0]?.kind ?? 'number';
  return kind === 'number' ? INT : POINTER;
}

/** Reads the initial state. */
export function parseInit(tokens: Tokens): readonly InitItem[] {
  const items: InitItem[] = [];
  while (tokens.peek().kind !== 'end') {
    if (tokens.accept(';')) continue;
    items.push(parseItem(tokens));
    if (tokens.peek().kind !== 'end') tokens.expect(';');
  }
  return items;
}

function parseItem(tokens: Tokens): InitItem {
  const at = tokens.peek().at;
  const type = parseType(tokens);
  const location = parseLocation(tokens);
  // `int x[3]` declares; the number is a size and not an index.
  if (location.kind === 'variable' && location.index !== null) {
    const size = location.index;
    if (size < 1 || size > 256) return reject('syntax', at, 'an array has 1 to 256 elements.');
    const values = tokens.accept('=') ? parseElements(tokens) : [];
    if (values.length > size) return reject('syntax', at, 'there are more values than elements.');
    const rest = Array.from({ length: size - values.length }, () => ZERO);
    return {
      at,
      location: { ...location, index: null },
      type,
      values: [...values, ...rest],
      array: true,
    };
  }
  const value = tokens.accept('=') ? parseValue(tokens) : null;
  return { at, location, type, values: [value ?? ZERO], array: false };
}

const ZERO: Value = { kind: 'number', value: 0n };

/** `{1,2,3}`. */
export function parseElements(tokens: Tokens): readonly Value[] {
  tokens.expect('{');
  const values: Value[] = [];
  do values.push(parseValue(tokens));
  while (tokens.accept(','));
  tokens.expect('}');
  return values;
}

/** A type in front of a location: `int`, `int64_t`, `int *`, `_Atomic int`. */
function parseType(tokens: Tokens): CellType | null {
  tokens.accept('_Atomic');
  const token = tokens.peek();
  if (tokens.accept('*')) return POINTER;
  const after = tokens.peek(1);
  const typed =
    token.kind === 'name' &&
    (after.kind === 'name' ||
      after.kind === 'number' ||
      after.text === '*' ||
      after.text === '[') &&
    !(after.text === '[' && tokens.peek(2).kind === 'number');
  if (!typed) return null;
  const type = TYPES.get(token.text);
  if (type === undefined) {
    return reject('unsupported', token.at, `the type \`${token.text}\` is not supported.`);
  }
  tokens.next();
  return tokens.accept('*') ? POINTER : type;
}

/** The entry a page-table cell starts with: unwritten fields have their default, `oa` is its own. */
export function entryOf(item: InitItem): Value {
  const value = item.values[0] ?? { kind: 'entry', entry: DEFAULT_ENTRY };
  if (value.kind !== 'entry' || value.entry.output !== null) return value;
  const { name } = item.location.kind === 'cell' ? item.location : { name: '' };
  return { kind: 'entry', entry: { ...value.entry, output: { kind: 'physical', name } } };
}
