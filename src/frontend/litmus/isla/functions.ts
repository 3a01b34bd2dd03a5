import { reject, type Position } from '../problem.ts';
import { attributeBits } from './attributes.ts';
import type { Expression } from './expression.ts';
import { cellAtLevel, translateStatically } from './static-walk.ts';
import { cellOffset } from './table-memory.ts';
import type { IslaTables } from './table-setup.ts';

/** A bit vector; `width` is null for plain numbers. */
interface Bits {
  readonly value: bigint;
  readonly width: number | null;
}

const MASK64 = (1n << 64n) - 1n;

/**
 * The value of an expression in a register reset or an assertion, 64 bits. The functions are those
 * of isla's litmus format (litmus/exp.rs).
 */
export function registerValue(
  expression: Expression,
  tables: IslaTables,
  labelAddress: (label: string) => bigint | undefined,
): bigint {
  return evaluate(expression, tables, labelAddress).value & MASK64;
}

function evaluate(
  expression: Expression,
  tables: IslaTables,
  labelAddress: (label: string) => bigint | undefined,
): Bits {
  switch (expression.kind) {
    case 'number':
      return { value: expression.value, width: expression.width };
    case 'label': {
      const address = labelAddress(expression.name);
      if (address !== undefined) return { value: address, width: 64 };
      return reject('syntax', expression.at, `there is no label \`${expression.name}\`.`);
    }
    case 'name':
      return named(expression.name, tables, expression.at);
    case 'call': {
      const of = (inner: Expression): Bits => evaluate(inner, tables, labelAddress);
      const args = expression.args.map(of);
      const keywords = new Map([...expression.named].map(([key, inner]) => [key, of(inner)]));
      return applyFunction({ name: expression.name, args, keywords, at: expression.at }, tables);
    }
  }
}

function named(name: string, tables: IslaTables, at: Position): Bits {
  if (name === 'true' || name === 'false') return { value: name === 'true' ? 1n : 0n, width: 1 };
  const value = tables.addresses.get(name)?.address ?? tables.tableBases.get(name);
  if (value !== undefined) return { value, width: 64 };
  return reject('syntax', at, `there is no address \`${name}\`.`);
}

interface Call {
  readonly name: string;
  readonly args: readonly Bits[];
  readonly keywords: ReadonlyMap<string, Bits>;
  readonly at: Position;
}

function applyFunction(call: Call, tables: IslaTables): Bits {
  const { name, args, keywords, at } = call;
  const wide = (value: bigint): Bits => ({ value: value & MASK64, width: 64 });
  const arg = (index: number): bigint =>
    args[index]?.value ?? reject('syntax', at, `\`${name}\` needs more arguments.`);
  const cellPart = /^(pte|desc)([0-3])$/.exec(name);
  if (cellPart !== null) {
    const level = Number(cellPart[2]);
    const found = cellAtLevel(tables.memory, arg(1), arg(0), level);
    if (found === null) {
      return reject('unsupported', at, `the walk for this address ends above level ${level}.`);
    }
    return wide(cellPart[1] === 'pte' ? found.cell : found.descriptor);
  }
  switch (name) {
    case 'extz':
      return { value: arg(0), width: Number(arg(1)) };
    case 'exts': {
      const from = args[0]?.width ?? 64;
      const width = Number(arg(1));
      if (width < 1 || width > 64) return reject('syntax', at, 'the width is not 1 to 64.');
      return { value: BigInt.asUintN(width, BigInt.asIntN(from, arg(0))), width };
    }
    case 'page':
      return { value: (arg(0) >> 12n) & ((1n << 37n) - 1n), width: 37 };
    case 'asid':
    case 'vmid':
      return wide(arg(0) << 48n);
    case 'ttbr': {
      const id = keywords.get('asid') ?? keywords.get('vmid') ?? { value: 0n };
      const cnp = keywords.get('CnP')?.value ?? 0n;
      return wide((keyword(call, 'base') & ~(0xffffn << 48n)) | (id.value << 48n) | cnp);
    }
    case 'mkdesc1':
    case 'mkdesc2':
    case 'mkdesc3':
    case 's2mkdesc3':
      return wide(makeDescriptor(call));
    case 'pa': {
      const roots = { stage1: arg(1), stage2: null };
      const found = translateStatically(tables.memory, new Set(), roots, arg(0));
      if (found.kind !== 'fixed') return reject('unsupported', at, 'this address is not mapped.');
      return wide(found.address);
    }
    case 'offset':
    case 'index': {
      const address = keywords.get('va') ?? keywords.get('ipa');
      if (address === undefined)
        return reject('syntax', at, `\`${name}\` needs \`va\` or \`ipa\`.`);
      const level = Number(keyword(call, 'level'));
      if (level < 0 || level > 3) return reject('syntax', at, 'a level is 0 to 3.');
      const offset = cellOffset(address.value, level);
      return wide(name === 'offset' ? offset : offset / 8n);
    }
    case 'bvand':
      return wide(arg(0) & arg(1));
    case 'bvor':
      return wide(arg(0) | arg(1));
    case 'bvxor':
      return wide(arg(0) ^ arg(1));
    case 'bvshl':
      return wide(arg(0) << (arg(1) & 63n));
    case 'bvlshr':
      return wide(arg(0) >> (arg(1) & 63n));
    default:
      return reject('unsupported', at, `the function \`${name}\` is unknown.`);
  }
}

function keyword(call: Call, key: string): bigint {
  const found = call.keywords.get(key);
  return found?.value ?? reject('syntax', call.at, `\`${call.name}\` needs \`${key}=\`.`);
}

/** `mkdescN(oa=..., AP=...)` and `mkdescN(table=...)`; the attributes are those of `|->`. */
function makeDescriptor(call: Call): bigint {
  const { name, keywords, at } = call;
  const table = keywords.get('table');
  if (table !== undefined) return table.value | 3n;
  const fields = new Map(
    [...keywords].flatMap(([key, { value }]) => (key === 'oa' ? [] : [[key, value] as const])),
  );
  const stage = name === 's2mkdesc3' ? 2 : 1;
  const type = name.endsWith('3') ? 3n : 1n;
  return keyword(call, 'oa') | type | attributeBits(stage, { kind: 'default', fields }, at);
}
