import type { Code } from '../assembly/code.ts';
import { reject, type Position } from '../problem.ts';
import { encodeEntry, type AttributeTable } from './entry-bits.ts';
import type { OutputAddress, Value } from './value.ts';

/**
 * Where everything of a herd7 test lies. Every variable has a virtual page, a physical page and a
 * cell of the one level-3 table, which maps 2 MB of virtual addresses. The table's page is mapped at
 * its own address, readable from EL1 only (herd7: `of_pte`), so that an access through a pointer to a
 * cell finds the cell. All addresses fit into 31 bits: a pointer survives W registers, as in herd7.
 */
export interface Layout {
  /** Whether addresses are translated; otherwise a variable is at its physical address. */
  readonly translated: boolean;
  /** Names of the variables. */
  readonly variables: readonly string[];
  virtualOf(name: string): bigint;
  physicalOf(name: string): bigint;
  cellOf(name: string): bigint;
  /** The 64-bit value that a test means. */
  valueOf(value: Value, at: Position): bigint;
  readonly attributes: AttributeTable;
}

/** The level-3 table. */
export const TABLE_PAGE = 0x1f_f000n;

const FIRST_VIRTUAL = 0x10_0000n;
const FIRST_PHYSICAL = 0x4000_0000n;
const FIRST_CODE = 0x2000_0000n;
const PAGE = 0x1000n;
/** The virtual pages from `FIRST_VIRTUAL` up to the table's own. */
const MOST_VARIABLES = 255;

/** PAR_EL1, RES1. */
const PAR_RES1 = 1n << 11n;

/** Address of the first instruction of a block of code. */
export function codeAddress(thread: number, handler: boolean): bigint {
  return FIRST_CODE + (BigInt(thread) << 16n) + (handler ? 0x8000n : 0n);
}

/** Lays out the variables. */
export function layout(
  names: readonly string[],
  translated: boolean,
  elementBytes: (name: string) => number,
  codes: ReadonlyMap<number, Code>,
  attributes: AttributeTable,
  at: Position,
): Layout {
  if (names.length > MOST_VARIABLES) {
    return reject('unsupported', at, `there are more than ${MOST_VARIABLES} variables.`);
  }
  const indices = new Map(names.map((name, index) => [name, BigInt(index)]));
  const indexOf = (name: string): bigint => {
    const index = indices.get(name);
    if (index === undefined) throw new Error(`variable ${name} was not collected`);
    return index;
  };
  const physicalOf = (name: string): bigint => FIRST_PHYSICAL + indexOf(name) * PAGE;
  const virtualOf = (name: string): bigint =>
    translated ? FIRST_VIRTUAL + indexOf(name) * PAGE : physicalOf(name);
  const cellOf = (name: string): bigint => cellAt(virtualOf(name));
  const outputOf = (output: OutputAddress | null): bigint => {
    if (output === null) return 0n;
    return output.kind === 'physical' ? physicalOf(output.name) : TABLE_PAGE;
  };
  return {
    translated,
    variables: names,
    virtualOf,
    physicalOf,
    cellOf,
    attributes,
    valueOf(value, from) {
      switch (value.kind) {
        case 'number':
          return BigInt.asUintN(64, value.value);
        case 'variable':
          return virtualOf(value.name) + BigInt(value.index * elementBytes(value.name));
        case 'physical':
          return physicalOf(value.name);
        case 'cell':
          return cellOf(value.name);
        case 'label': {
          const code = codes.get(value.thread);
          const slot = code?.slots[code.labels.get(value.label) ?? -1];
          if (slot !== undefined) return slot.address;
          return reject('syntax', from, `P${value.thread} has no label \`${value.label}\`.`);
        }
        case 'array':
          return reject('unsupported', from, 'an array is not a single value.');
        case 'entry':
          return encodeEntry(value.entry, outputOf(value.entry.output), attributes, from);
        case 'par':
          return PAR_RES1 | (value.failed ? 1n : outputOf(value.output));
      }
    },
  };
}

/** The cell of the table that maps a virtual address. */
export function cellAt(virtual: bigint): bigint {
  return TABLE_PAGE + (virtual >> 12n) * 8n;
}

/** Whether an address lies among the instructions. */
export function inCode(address: bigint): boolean {
  return address >= FIRST_CODE && address < FIRST_PHYSICAL;
}

/** Whether an address lies in the table. */
export function inTable(address: bigint): boolean {
  return address >= TABLE_PAGE && address < TABLE_PAGE + PAGE;
}

/** Whether an address lies among the physical pages of variables. */
export function inPhysical(address: bigint): boolean {
  return address >= FIRST_PHYSICAL && address < FIRST_PHYSICAL + BigInt(MOST_VARIABLES) * PAGE;
}
