import type { Features } from '../../arm64/features.ts';
import { indexAt, LAST_LEVEL, nextLevel, type Geometry, type Level } from '../../arm64/geometry.ts';
import { DESCRIPTOR_BYTES, pageBytes } from '../../arm64/granule.ts';
import { makeLeaf, makeTable, type LeafOptions } from '../kvm-v5_8/pgtable.ts';
import type { Bump } from './bump.ts';

/** One mapping of a tree that is built at once. */
export interface LeafSpec extends LeafOptions {
  readonly ipa: bigint;
  readonly output: bigint;
  readonly level: Level;
}

/** A page that holds a table. */
export interface TablePage {
  readonly page: bigint;
  readonly level: Level;
  /** First IPA that the table covers; for root pages, of the whole root. */
  readonly ipa: bigint;
  /** 1 and the number of entries in use. */
  readonly count: number;
}

/** A finished stage-2 tree in memory. */
export interface Stage2Tree {
  readonly root: bigint;
  readonly tables: readonly TablePage[];
  readonly words: ReadonlyMap<bigint, bigint>;
}

/**
 * Builds the stage-2 tables for some mappings, with the encoders the host code decodes with. Only
 * root pages that hold an entry are listed; at least the first is.
 */
export function buildStage2Tree(
  features: Features,
  geometry: Geometry,
  leaves: readonly LeafSpec[],
  memory: Bump,
): Stage2Tree {
  const bytes = pageBytes(geometry.granule);
  const rootBytes = BigInt(geometry.rootPages) * bytes;
  const root = memory.take(rootBytes, rootBytes);
  const words = new Map<bigint, bigint>();
  const tables = new Map<bigint, { -readonly [key in keyof TablePage]: TablePage[key] }>();
  const pageOfCell = (cell: bigint): bigint => cell & ~(bytes - 1n);

  function addEntry(cell: bigint, value: bigint): void {
    words.set(cell, value);
    const page = pageOfCell(cell);
    const table = tables.get(page);
    if (table === undefined) {
      tables.set(page, { page, level: geometry.startLevel, ipa: 0n, count: 2 });
    } else table.count += 1;
  }

  tables.set(root, { page: root, level: geometry.startLevel, ipa: 0n, count: 1 });
  const below = new Map<bigint, bigint>();
  for (const leaf of leaves) {
    let table = root;
    let level = geometry.startLevel;
    for (;;) {
      const cell = table + BigInt(indexAt(geometry, leaf.ipa, level)) * DESCRIPTOR_BYTES;
      if (level === leaf.level) {
        addEntry(cell, makeLeaf(geometry, features, level, leaf.output, leaf));
        break;
      }
      if (level === LAST_LEVEL) throw new Error('a leaf lies above the root of its tree');
      let child = below.get(cell);
      const childLevel = nextLevel(level);
      if (child === undefined) {
        child = memory.take(bytes);
        below.set(cell, child);
        tables.set(child, { page: child, level: childLevel, ipa: leaf.ipa, count: 1 });
        addEntry(cell, makeTable(geometry, features, level, child));
      }
      table = child;
      level = childLevel;
    }
  }
  return { root, tables: [...tables.values()], words };
}
