import type { Designator, Expression, Initializer } from '../parse/ast.ts';
import { failType, type LocalNames, type TypeContext } from './context.ts';
import { compatible } from './conversions.ts';
import { typeOfExpression } from './expression-type.ts';
import { findMember } from './layout.ts';
import { sizeOf } from './size.ts';
import type { Type } from './type.ts';

/** A part of an object that one item of an initializer list gives a value to. */
export interface Part {
  /** Where it lies in the object, in bytes; several places for a range of elements. */
  readonly offsets: readonly number[];
  readonly type: Type;
  readonly bits: { readonly start: number; readonly width: number } | null;
}

type InitializerList = Initializer & { kind: 'list' };

interface Walk {
  readonly context: TypeContext;
  readonly locals: LocalNames;
  readonly list: InitializerList;
  readonly give: (part: Part, value: Initializer) => void;
}

interface Filled {
  /** The item after those that were used up. */
  readonly next: number;
  /** One more than the highest element or member that was given a value. */
  readonly length: number;
}

const MAX_RANGE = 65_536;

/**
 * Hands out the items of a braced list, each to its designator or to the part after the one before (C11
 * 6.7.9, with the designated ranges of GNU C). Returns how many elements an array of unknown length gets.
 */
export function walkInitializer(
  context: TypeContext,
  type: Type,
  list: InitializerList,
  locals: LocalNames,
  give: Walk['give'],
): number {
  const walk = { context, locals, list, give };
  return fill(walk, { offsets: [0], type, bits: null }, 0, null).length;
}

/**
 * Gives items to the parts of an aggregate, from item `start` on. `path` is what is left of the designators
 * of that item where the aggregate has no braces of its own: its list then ends where the aggregate is
 * full or an item has designators, which belong to the list around it. `null` with braces of its own.
 */
function fill(walk: Walk, into: Part, start: number, path: readonly Designator[] | null): Filled {
  const { items } = walk.list;
  const count = partsOf(walk, into.type);
  let next = start;
  let position = 0;
  let length = 0;
  for (;;) {
    const item = items[next];
    if (item === undefined) return { next, length };
    if (path !== null && next > start && item.designators.length > 0) return { next, length };
    const designators = path !== null && next === start ? path : item.designators;
    // What follows a value for a range of elements goes on in the last of them.
    const object = next === start ? into : { ...into, offsets: into.offsets.slice(-1) };
    const [head, ...rest] = designators;
    if (head === undefined) {
      if (position >= count) {
        if (path !== null) return { next, length };
        throw failType(walk.context, item.value.at, tooMany(into.type));
      }
      next = put(walk, partAt(walk, object, position, position), next, []);
      position += 1;
    } else {
      const found = designated(walk, object, head);
      next = put(walk, found.part, next, found.isInside ? designators : rest);
      position = found.position + 1;
    }
    // Of a union one member is given a value.
    if (isUnion(walk, into.type)) position = count;
    length = Math.max(length, position);
  }
}

/** Gives an item to a part; without braces of its own an aggregate takes several. Returns the item after. */
function put(walk: Walk, part: Part, index: number, path: readonly Designator[]): number {
  const value = walk.list.items[index]?.value;
  if (value === undefined) return index;
  if (path.length === 0 && takesWhole(walk, part.type, value)) {
    walk.give(part, value);
    return index + 1;
  }
  if (partsOf(walk, part.type) === 0) {
    throw failType(walk.context, value.at, 'something without members takes no value');
  }
  return fill(walk, part, index, path).next;
}

function takesWhole({ context, locals }: Walk, type: Type, value: Initializer): boolean {
  if (value.kind === 'list' || (type.kind !== 'record' && type.kind !== 'array')) return true;
  const { expression } = value;
  return (
    (expression.kind === 'string' && isText(type)) ||
    compatible(context, typeOfExpression(context, expression, locals), type, value.at)
  );
}

/** True for an array that a string can be given to. */
export function isText(type: Type): boolean {
  return type.kind === 'array' && type.of.kind === 'integer' && type.of.size === 1;
}

function isUnion({ context }: Walk, type: Type): boolean {
  return type.kind === 'record' && context.unit.records[type.record]?.kind === 'union';
}

/** How many elements or members a list without designators gives values to. */
function partsOf(walk: Walk, type: Type): number {
  if (type.kind === 'array') return type.length ?? Infinity;
  if (type.kind !== 'record') return 1;
  const { length } = walk.context.rules.layout(walk.context, type.record, walk.list.at).fields;
  return isUnion(walk, type) ? Math.min(1, length) : length;
}

function tooMany(type: Type): string {
  return type.kind === 'array'
    ? 'more values than the array has elements'
    : 'more values than members';
}

/** The elements from `low` to `high`, or the member of that number. */
function partAt({ context, list: { at } }: Walk, into: Part, low: number, high: number): Part {
  const { type } = into;
  if (type.kind === 'array') {
    const size = sizeOf(context, type.of, at);
    const offsets = into.offsets.flatMap((offset) =>
      Array.from({ length: high - low + 1 }, (_, i) => offset + (low + i) * size),
    );
    return { offsets, type: type.of, bits: null };
  }
  if (type.kind !== 'record') return into;
  const field = context.rules.layout(context, type.record, at).fields[low];
  if (field === undefined) throw failType(context, at, tooMany(type));
  const offsets = into.offsets.map((offset) => offset + field.offset);
  return { offsets, type: field.type, bits: field.bits };
}

/** What a designator names; `isInside` when that is in an anonymous member, which is given here. */
function designated(
  walk: Walk,
  into: Part,
  designator: Designator,
): { readonly part: Part; readonly position: number; readonly isInside: boolean } {
  const { context } = walk;
  const { at } = designator;
  const { type } = into;
  if (designator.kind === 'field') {
    if (type.kind !== 'record') {
      throw failType(context, at, 'a designator names a member of no struct');
    }
    const { fields } = context.rules.layout(context, type.record, at);
    const position = fields.findIndex(
      (field) =>
        field.name === designator.name ||
        (field.name === null &&
          field.type.kind === 'record' &&
          findMember(context, field.type.record, designator.name, at) !== null),
    );
    if (position < 0) throw failType(context, at, `there is no member "${designator.name}"`);
    const part = partAt(walk, into, position, position);
    return { part, position, isInside: fields[position]?.name === null };
  }
  const low = numberOf(walk, designator.kind === 'index' ? designator.index : designator.low);
  const high = designator.kind === 'index' ? low : numberOf(walk, designator.high);
  if (high - low > MAX_RANGE) throw failType(context, at, 'this range is too long to fill');
  if (type.kind !== 'array' || low < 0 || high >= (type.length ?? Infinity)) {
    throw failType(context, at, 'a designator names an element that the array does not have');
  }
  return { part: partAt(walk, into, low, high), position: high, isInside: false };
}

function numberOf({ context, locals }: Walk, expression: Expression): number {
  const found = context.rules.constant(context, expression, locals);
  if (found === null) throw failType(context, expression.at, 'a designator must be a constant');
  return Number(found.value);
}
