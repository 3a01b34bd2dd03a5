import type { Code } from '../assembly/code.ts';
import { decodeEntry, showAttributes } from './entry-bits.ts';
import { inTable, TABLE_PAGE, type Layout } from './layout.ts';

/**
 * Values as herd7 prints them. Addresses and page-table entries are recognised by their bits: our
 * layout keeps them far away from the small numbers that tests compute with.
 */
export interface Names {
  /** The name of a value that is not a number: address, label, entry; null for numbers. */
  nameOf(value: bigint): string | null;
  /** What lies at a virtual or physical address: `x+4`, `PA(x)`, `PTE(x)`; null where nothing lies. */
  located(address: bigint): string | null;
  /** The variable or cell at a virtual address, for faults; null where nothing lies. */
  addressed(address: bigint): { readonly kind: 'variable' | 'cell'; readonly name: string } | null;
}

const PAGE_MASK = ~0xfffn;

/** The names of a test. */
export function names(layout: Layout, codes: ReadonlyMap<number, Code>): Names {
  const pages = new Map<bigint, string>();
  const physical = new Map<bigint, string>();
  const cells = new Map<bigint, string>();
  for (const name of layout.variables) {
    pages.set(layout.virtualOf(name), name);
    physical.set(layout.physicalOf(name), name);
    if (layout.translated) cells.set(layout.cellOf(name), name);
  }
  const labels = new Map<bigint, string>();
  for (const [thread, code] of codes) {
    for (const slot of code.slots) {
      const label = slot.labels[0];
      if (label !== undefined) labels.set(slot.address, `label:"P${thread}:${label}"`);
    }
  }

  const withOffset = (name: string, address: bigint): string => {
    const offset = address & ~PAGE_MASK;
    return offset === 0n ? name : `${name}+${offset}`;
  };
  const showOutput = (output: bigint): string | null => {
    if (output === TABLE_PAGE) return 'PTE()';
    const name = physical.get(output);
    return name === undefined ? null : `PA(${name})`;
  };

  function showEntry(value: bigint): string | null {
    const entry = decodeEntry(value, layout.attributes);
    if (entry === null) return null;
    const output = showOutput(entry.output);
    if (output === null) return null;
    const parts = [`oa:${output}`];
    if (entry.af === 0) parts.push('af:0');
    if (entry.db === 0) parts.push('db:0');
    if (entry.dbm === 1) parts.push('dbm:1');
    if (entry.valid === 0) parts.push('valid:0');
    if (entry.el0 === 0) parts.push('el0:0');
    if (entry.x === 0) parts.push('x:0');
    const attributes = showAttributes(entry.attributes);
    if (attributes !== null) parts.push(`attrs:(${attributes})`);
    return `(${parts.join(', ')})`;
  }

  function showPar(value: bigint): string | null {
    if ((value & 0x800n) === 0n) return null;
    if ((value & 1n) !== 0n) return value >> 12n === 0n ? '(parel1_t:(f:1))' : null;
    const output = showOutput(value & PAGE_MASK);
    return output === null || (value & 0x7ffn) !== 0n ? null : `(parel1_t:(oa:${output}))`;
  }

  return {
    nameOf(value) {
      const label = labels.get(value);
      if (label !== undefined) return label;
      const cell = cells.get(value);
      if (cell !== undefined) return `PTE(${cell})`;
      const variable = pages.get(value & PAGE_MASK);
      if (variable !== undefined) return withOffset(variable, value);
      const page = physical.get(value);
      if (page !== undefined) return `PA(${page})`;
      return layout.translated ? (showPar(value) ?? showEntry(value)) : null;
    },
    located(address) {
      const cell = cells.get(address);
      if (cell !== undefined) return `PTE(${cell})`;
      const variable = pages.get(address & PAGE_MASK);
      if (variable !== undefined) return withOffset(variable, address);
      const page = physical.get(address & PAGE_MASK);
      return page === undefined ? null : withOffset(`PA(${page})`, address);
    },
    addressed(address) {
      if (layout.translated && inTable(address)) {
        const cell = cells.get(address & ~7n);
        return cell === undefined ? null : { kind: 'cell', name: cell };
      }
      const variable = pages.get(address & PAGE_MASK);
      return variable === undefined ? null : { kind: 'variable', name: variable };
    },
  };
}
