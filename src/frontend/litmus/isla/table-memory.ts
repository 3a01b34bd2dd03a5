import { reject, type Position } from '../problem.ts';

/** A set of tables under construction: one root and the tables below it, in consecutive pages. */
export interface TableSet {
  readonly name: string;
  readonly stage: 1 | 2;
  readonly base: bigint;
  /** Pages in use, root included. */
  pages(): number;
}

/** Cells that a mapping went through, by level 0..3; undefined below the level of the mapping. */
export type Walk = readonly (bigint | undefined)[];

/** Memory that holds tables: 64-bit words by physical address. */
export interface TableMemory {
  create(name: string, stage: 1 | 2, base: bigint, at: Position): TableSet;
  /**
   * Makes the tables above a descriptor where they are missing and, unless `bits` is null, writes it.
   * New tables take the next page of the set, as in isla, whose tests name some by number.
   */
  map(set: TableSet, input: bigint, level: number, bits: bigint | null, at: Position): Walk;
  read(address: bigint): bigint;
  write(address: bigint, value: bigint): void;
  words(): ReadonlyMap<bigint, bigint>;
}

const TABLE_BITS = 0b11n;
const ADDRESS_MASK = 0x0000_ffff_ffff_f000n;

/** Index of an input address in a table of a level, times 8. */
export function cellOffset(input: bigint, level: number): bigint {
  return ((input >> BigInt(39 - 9 * level)) & 511n) * 8n;
}

/** Empty memory. */
export function tableMemory(): TableMemory {
  const memory = new Map<bigint, bigint>();
  /** Pages in use by base address: two sets at one address are one. */
  const used = new Map<bigint, number>();
  const read = (address: bigint): bigint => memory.get(address & ~7n) ?? 0n;
  const write = (address: bigint, value: bigint): void => void memory.set(address & ~7n, value);
  return {
    create(name, stage, base, at) {
      if ((base & 0xfffn) !== 0n) return reject('syntax', at, 'a table begins at a page.');
      used.set(base, used.get(base) ?? 1);
      return { name, stage, base, pages: () => used.get(base) ?? 0 };
    },
    map(set, input, level, bits, at) {
      const walk: bigint[] = [];
      let table = set.base;
      for (let depth = 0; depth < level; depth += 1) {
        const cell = table + cellOffset(input, depth);
        walk.push(cell);
        const descriptor = read(cell);
        if ((descriptor & TABLE_BITS) === TABLE_BITS) {
          table = descriptor & ADDRESS_MASK;
          continue;
        }
        if ((descriptor & 1n) !== 0n) {
          return reject('unsupported', at, 'this mapping lies below a block.');
        }
        const pages = set.pages();
        table = set.base + BigInt(pages) * 0x1000n;
        used.set(set.base, pages + 1);
        write(cell, table | TABLE_BITS);
      }
      const cell = table + cellOffset(input, level);
      walk.push(cell);
      if (bits !== null) write(cell, bits);
      return walk;
    },
    read,
    write,
    words: () => memory,
  };
}
