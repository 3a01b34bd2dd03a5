import type { IdTables } from '../util/id-tables.ts';
import { pairMap } from '../util/pair-map.ts';
import type { MachineSetup } from './setup.ts';

/**
 * Memory as one value per location, no history. A state holds one integer for all of it.
 *
 * A *cell* is one watched location, numbered when first touched. What a cell holds is a *slot*:
 *   - plain (even): the id of a 64-bit value all observers agree on;
 *   - line (odd): the id of a cache line over the point of coherency, for data pages when the setup
 *     asks for a modelled data cache.
 * An access names the location at its address, whatever its size: accesses of different sizes that
 * overlap at different addresses are not modelled. A narrow access at an offset starts from its part
 * of the word.
 *
 * The line is a may-cache too: `clean` holds every value a cacheable read could hit. A clean line may
 * be filled speculatively at any time through any cacheable alias (the kernel's linear map), so every
 * value that was at the PoC since the last completed invalidation is in it, and only maintenance
 * shrinks it. A line is one word here: one watched word per line (docs/limits.md).
 */
export interface Memory {
  /** Cell of a physical address; the same cell for the same address. */
  cellOf(address: bigint): number;
  addressOf(cell: number): bigint;
  cellCount(): number;
  /** Id of the initial memory. */
  readonly initial: number;
  slot(memory: number, cell: number): number;
  /** Memory with one slot replaced. */
  withSlot(memory: number, cell: number, slot: number): number;
  /** The number of a replacement of one slot, for `replaced`; numbers are in steps only, not in states. */
  replacement(cell: number, slot: number): number;
  /** Memory after a replacement. */
  replaced(memory: number, replacement: number): number;
  /**
   * What walks can see of it, as a memory: lines at their initial values. As soon as a walk has read a
   * line (`noteWalk`), all of memory; what was remembered for walks before that has read no line.
   */
  walkable(memory: number): number;
  /** A walk reads a descriptor in this cell. */
  noteWalk(cell: number): void;
  /** Whether a walk has read a line so far. */
  linesAreWalked(): boolean;
  /** Cells whose line is dirty, in ascending order. */
  dirtyCells(memory: number): readonly number[];
  valueId(value: bigint): number;
  value(valueId: number): bigint;
  /** The value all observers agree on; for a line, what it would be if written back: used by walks. */
  coherentValue(slot: number): bigint;
  line(slot: number): Line;
  lineSlot(line: Line): number;
  /** Whether words of this page have cache lines. */
  isLineCell(cell: number): boolean;
}

/** One cache line over the point of coherency. */
export interface Line {
  /** Value at the PoC. */
  readonly poc: number;
  /** Value of the dirty line, or -1. */
  readonly dirty: number;
  /** Value ids a cacheable read can hit while the line is not dirty, ascending; contains `poc`. */
  readonly clean: readonly number[];
}

/** A watched location. */
interface Cell {
  readonly address: bigint;
  /** What it holds at the start. */
  readonly initialSlot: number;
}

/** Whether a slot is a line. */
export function isLine(slot: number): boolean {
  return (slot & 1) === 1;
}

/** A plain slot of a value. */
export function plainSlot(valueId: number): number {
  return valueId << 1;
}

/** A line in which every observer sees one value. */
export function coherentLine(valueId: number): Line {
  return { poc: valueId, dirty: -1, clean: [valueId] };
}

/** Memory of a machine. */
export function createMemory(setup: MachineSetup, pageBits: number, ids: IdTables): Memory {
  const cells = ids.interner<Cell>();
  const values = ids.interner<bigint>();
  const lines = ids.interner<Line>();
  const pool = ids.pool();
  /** Cells asked for before. */
  const byAddress = new Map<bigint, number>();
  let scratch = new Int32Array(64);
  values.id('0', () => 0n);
  const words = new Map(setup.memory.map((word) => [word.address, word.value]));
  const linePages = new Set<bigint>();
  if (setup.dataCache === 'modelled') {
    for (const page of setup.pages) {
      if (page.use === 'guest') linePages.add(page.base >> BigInt(pageBits));
    }
  }
  /** Numbers of replacements (cell, slot), and what each makes of a memory. */
  const replacements = pairMap();
  const replacementList: (readonly [cell: number, slot: number])[] = [];
  const replacedMemo = pairMap();
  const walkables: number[] = [];
  const dirty: (readonly number[] | undefined)[] = [];
  let linesAreWalked = false;

  function valueId(value: bigint): number {
    return values.id(value.toString(), () => value);
  }

  function lineSlot(line: Line): number {
    const key = `${line.poc},${line.dirty},${line.clean.join('.')}`;
    return (lines.id(key, () => line) << 1) | 1;
  }

  /** What lies at an address at the start: a word, or the rest of the word it falls into. */
  function initialValue(address: bigint): bigint {
    const word = words.get(address & ~7n);
    return word === undefined ? 0n : word >> ((address & 7n) * 8n);
  }

  function cellOf(address: bigint): number {
    const known = byAddress.get(address);
    if (known !== undefined) return known;
    const cell = cells.id(address.toString(), () => {
      const value = valueId(initialValue(address));
      const isLineCell = linePages.has(address >> BigInt(pageBits));
      return {
        address,
        initialSlot: isLineCell ? lineSlot(coherentLine(value)) : plainSlot(value),
      };
    });
    byAddress.set(address, cell);
    return cell;
  }

  function initialSlot(cell: number): number {
    return cells.item(cell).initialSlot;
  }

  for (const word of setup.memory) cellOf(word.address);

  function slot(memory: number, cell: number): number {
    const start = pool.start(memory);
    return cell < pool.length(memory) ? (pool.arena[start + cell] as number) : initialSlot(cell);
  }

  function replacementOf(cell: number, newSlot: number): number {
    let replacement = replacements.get(cell, newSlot);
    if (replacement < 0) {
      replacement = replacementList.push([cell, newSlot]) - 1;
      replacements.set(cell, newSlot, replacement);
    }
    return replacement;
  }

  function replaced(memory: number, replacement: number): number {
    const known = replacedMemo.get(memory, replacement);
    if (known >= 0) return known;
    const [cell, newSlot] = replacementList[replacement] as (typeof replacementList)[number];
    if (scratch.length < cells.size()) scratch = new Int32Array(cells.size() * 2);
    let length = pool.copy(memory, scratch);
    while (length <= cell) {
      scratch[length] = initialSlot(length);
      length += 1;
    }
    scratch[cell] = newSlot;
    // Canonical form: trailing cells at their initial value are not stored.
    while (length > 0 && scratch[length - 1] === initialSlot(length - 1)) length -= 1;
    const result = pool.intern(scratch, length);
    replacedMemo.set(memory, replacement, result);
    return result;
  }

  function withSlot(memory: number, cell: number, newSlot: number): number {
    return replaced(memory, replacementOf(cell, newSlot));
  }

  return {
    cellOf,
    addressOf: (cell) => cells.item(cell).address,
    cellCount: cells.size,
    initial: pool.intern(scratch, 0),
    slot,
    withSlot,
    replacement: replacementOf,
    replaced,
    walkable(memory) {
      if (linesAreWalked) return memory;
      let found = walkables[memory];
      if (found !== undefined) return found;
      found = memory;
      const length = pool.length(memory);
      for (let cell = 0; cell < length; cell += 1) {
        if (isLine(slot(memory, cell))) found = withSlot(found, cell, initialSlot(cell));
      }
      walkables[memory] = found;
      return found;
    },
    noteWalk(cell) {
      if (!linesAreWalked && isLine(initialSlot(cell))) linesAreWalked = true;
    },
    linesAreWalked: () => linesAreWalked,
    dirtyCells(memory) {
      const known = dirty[memory];
      if (known !== undefined) return known;
      const found: number[] = [];
      for (let cell = 0; cell < pool.length(memory); cell += 1) {
        const held = slot(memory, cell);
        if (isLine(held) && lines.item(held >> 1).dirty >= 0) found.push(cell);
      }
      dirty[memory] = found;
      return found;
    },
    valueId,
    value: (id) => values.item(id),
    coherentValue(s) {
      if (!isLine(s)) return values.item(s >> 1);
      const line = lines.item(s >> 1);
      return values.item(line.dirty >= 0 ? line.dirty : line.poc);
    },
    line: (s) => lines.item(s >> 1),
    lineSlot,
    isLineCell: (cell) => linePages.has(cells.item(cell).address >> BigInt(pageBits)),
  };
}
