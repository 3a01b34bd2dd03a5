import type { Features } from '../../arm64/features.ts';
import {
  LAST_LEVEL,
  levelBytes,
  mayHoldBlock,
  type Geometry,
  type Level,
} from '../../arm64/geometry.ts';
import { pageBytes } from '../../arm64/granule.ts';
import { kvmStage2Geometry } from '../kvm-v5_8/pgtable.ts';
import type { IpaRange } from '../kvm-v5_8/unmap-plan.ts';
import { bumpFrom, type Bump } from './bump.ts';
import type { Mapping, WorldOptions } from './options.ts';
import { buildStage2Tree, type LeafSpec, type TablePage } from './tables.ts';

/** A page of a guest: one watched line at its base. */
export interface GuestPage {
  readonly name: string;
  readonly ipa: bigint;
  readonly page: bigint;
  readonly mapping: Mapping;
  /** Level of the entry that maps it, or would. */
  readonly level: Level;
  readonly device: boolean;
}

/** A page of a world, as the machine's allocator and the rules see it. */
export interface WorldPage {
  readonly base: bigint;
  readonly use: 'table' | 'guest' | 'host' | 'free' | 'device';
  readonly vmid: number | null;
  readonly name: string;
}

/** One VM when the scenario starts. */
export interface VmWorld {
  readonly name: string;
  readonly vmid: number;
  readonly geometry: Geometry;
  readonly root: bigint;
  /** The watched pages, by IPA. */
  readonly guestPages: readonly GuestPage[];
  /** Further mapped pages outside of the range, for the guest's own tables. */
  readonly stage1Pages: readonly GuestPage[];
  /** Pages of the VM that nothing maps yet. */
  readonly sparePages: readonly bigint[];
  /** Pages mapped only to keep tables alive. */
  readonly keepers: readonly GuestPage[];
  /** The range of the request. */
  readonly range: IpaRange;
  readonly tables: readonly TablePage[];
  /** Index into `locks`. */
  readonly mmuLock: number;
  readonly pgdPointer: bigint | null;
  readonly notifier: { readonly sequence: bigint; readonly count: bigint } | null;
  /** Words of the host's own mapping, by IPA; empty when nobody looks at it. */
  readonly backing: ReadonlyMap<bigint, bigint>;
  /** Set with a store-release when another PE may read the pages; null when nobody does. */
  readonly handover: bigint | null;
}

/** Everything a machine needs beside the threads, and what host and guest code have to know. */
export interface World {
  readonly features: Features;
  readonly vms: readonly VmWorld[];
  readonly memory: readonly { readonly address: bigint; readonly value: bigint }[];
  readonly pages: readonly WorldPage[];
  readonly locks: readonly string[];
  /** Where the count of a table page lies, when counts are shared. */
  readonly countCells: ReadonlyMap<bigint, bigint> | null;
  readonly reschedule: 'never' | 'always' | 'choose';
}

/** Where things lie in physical memory: far apart, so that a dump can be read. */
const HOST_BASE = 0x2000_0000n;
const TABLE_BASE = 0x4000_0000n;
const FREE_BASE = 0x6000_0000n;
const GUEST_BASE = 0x8000_0000n;

/** From this many pages on the range flush of the seed takes its large branch. */
const WIDE_PAGES = 512n;

/** Builds a world with real tables. Throws a RangeError for what the features cannot hold. */
export function buildWorld(options: WorldOptions): World {
  const { features } = options;
  const geometry = kvmStage2Geometry(features);
  const bytes = pageBytes(features.granule);
  const host = bumpFrom(HOST_BASE);
  const cells = bumpFrom(host.take(bytes));
  const tableMemory = bumpFrom(TABLE_BASE);
  const guestMemory = bumpFrom(GUEST_BASE);
  const free = bumpFrom(FREE_BASE);
  const freePages = Array.from({ length: options.freePages ?? 0 }, () => free.take(bytes));

  const words = new Map<bigint, bigint>();
  const vms = Array.from({ length: options.vms ?? 1 }, (_, index) =>
    buildVm(options, geometry, index, words, { tableMemory, guestMemory, cells }),
  );
  const countCells = options.sharedCounts === true ? new Map<bigint, bigint>() : null;
  if (countCells !== null) {
    for (const { page, count } of vms.flatMap((vm) => vm.tables)) {
      const cell = cells.take(8n);
      countCells.set(page, cell);
      words.set(cell, BigInt(count));
    }
    for (const page of freePages) countCells.set(page, cells.take(8n));
  }
  return {
    features,
    vms,
    memory: [...words].map(([address, value]) => ({ address, value })),
    pages: [
      { base: HOST_BASE, use: 'host', vmid: null, name: 'host data' },
      ...vms.flatMap(vmPages),
      ...freePages.map((base, i): WorldPage => ({
        base,
        use: 'free',
        vmid: null,
        name: `free page ${i}`,
      })),
    ],
    locks: vms.map((vm) => `${vm.name} mmu_lock`),
    countCells,
    reschedule: options.reschedule ?? 'choose',
  };
}

interface Memories {
  readonly tableMemory: Bump;
  readonly guestMemory: Bump;
  readonly cells: Bump;
}

function buildVm(
  options: WorldOptions,
  geometry: Geometry,
  index: number,
  words: Map<bigint, bigint>,
  memories: Memories,
): VmWorld {
  const { features } = options;
  const name = `VM ${index + 1}`;
  const guestPages = layOut(options, geometry, name, memories.guestMemory);
  const stage1Pages = layOutStage1(options, geometry, name, memories.guestMemory);
  const keepers = layOutKeepers(options, geometry, name, guestPages, memories.guestMemory);
  const leaves: LeafSpec[] = [...guestPages, ...stage1Pages, ...keepers]
    .filter((page) => page.mapping !== 'unmapped')
    .map((page) => ({
      ipa: page.ipa,
      output: page.page,
      level: page.level,
      write: options.writable ?? true,
      execute: !page.device,
      device: page.device,
    }));
  const tree = buildStage2Tree(features, geometry, leaves, memories.tableMemory);
  for (const [address, value] of tree.words) words.set(address, value);

  const newWord = (value: bigint): bigint => {
    const cell = memories.cells.take(8n);
    if (value !== 0n) words.set(cell, value);
    return cell;
  };
  const handover = options.handover === true ? newWord(0n) : null;
  const notifier = options.notifier === true ? { sequence: newWord(0n), count: newWord(0n) } : null;
  return {
    name,
    vmid: index + 1,
    geometry,
    root: tree.root,
    guestPages,
    stage1Pages,
    sparePages: Array.from({ length: options.sparePages ?? 0 }, () =>
      memories.guestMemory.take(pageBytes(features.granule)),
    ),
    keepers,
    range: requestRange(options, geometry, guestPages),
    tables: tree.tables,
    mmuLock: index,
    pgdPointer: options.rootPointer === true ? newWord(tree.root) : null,
    notifier,
    handover,
    backing: new Map(
      options.backing !== true
        ? []
        : guestPages.map(({ ipa, page }) => [ipa, newWord(page)] as const),
    ),
  };
}

/** The watched pages: left and right of the first border of top-level entries, or all right of it. */
function layOut(
  options: WorldOptions,
  geometry: Geometry,
  name: string,
  memory: Bump,
): readonly GuestPage[] {
  const { features } = options;
  const count = options.pages ?? 2;
  const left = (options.layout ?? 'across') === 'across' ? Math.floor(count / 2) : 0;
  const border = levelBytes(features.granule, geometry.startLevel);
  const mappings = Array.from({ length: count }, (_, i): Mapping => {
    const mapping = options.mapping ?? 'page';
    if (mapping !== 'mixed') return mapping;
    return i < Math.ceil(count / 2) ? 'page' : 'block';
  });
  const sizes = mappings.map((mapping) => levelBytes(features.granule, levelOf(mapping)));
  const ipas: bigint[] = [];
  // Downwards from the border for the left part, upwards for the rest, each aligned to its size.
  for (let i = left - 1, next = border; i >= 0; i -= 1) {
    const size = sizes[i] ?? 0n;
    next = alignDownTo(next - size, size);
    ipas[i] = next;
  }
  const wide = options.range === 'wide';
  if (wide && left > 0) throw new RangeError('a wide range needs the layout adjacent');
  const first = wide ? border + pageBytes(features.granule) : border;
  for (let i = left, next = first; i < count; i += 1) {
    const size = sizes[i] ?? 0n;
    const ipa = alignDownTo(next + size - 1n, size);
    ipas[i] = ipa;
    next = ipa + size;
  }
  const block = options.layout === 'in-block' ? memory.take(levelBytes(features.granule, 2)) : null;
  return mappings.map((mapping, i) => {
    const size = sizes[i] ?? 0n;
    const level = levelOf(mapping);
    if (level !== LAST_LEVEL && !mayHoldBlock(features.granule, level, features)) {
      throw new RangeError(`granule ${features.granule} has no blocks at level ${level}`);
    }
    if (level < geometry.startLevel) {
      throw new RangeError(`the tree starts at level ${geometry.startLevel}, below level ${level}`);
    }
    const device = options.devices?.includes(i) ?? false;
    return {
      name: `${name} ${device ? 'device' : 'page'} ${i}`,
      ipa: ipas[i] ?? 0n,
      page: block === null ? memory.take(size) : block + (ipas[i] ?? 0n) - border,
      mapping,
      level,
      device,
    };
  });
}

/** One page beside the watched ones in each level-3 table, or beside a block in its table. */
function layOutKeepers(
  options: WorldOptions,
  geometry: Geometry,
  name: string,
  pages: readonly GuestPage[],
  memory: Bump,
): readonly GuestPage[] {
  if (options.keepTables !== true) return [];
  const { granule } = options.features;
  const bytes = pageBytes(granule);
  const region = levelBytes(granule, 2);
  const taken = new Set(pages.map(({ ipa }) => ipa / region));
  const keepers = new Map<bigint, bigint>();
  for (const { ipa, level } of pages) {
    const own = ipa / region;
    // The watched pages are near the border; a wide range leaves out the first page. Beside a block, a
    // keeper needs a table of its own.
    const offset = options.range === 'wide' ? 0n : region / 2n;
    if (level === LAST_LEVEL) keepers.set(own, own * region + offset);
    else {
      const top = levelBytes(granule, geometry.startLevel);
      const other = (ipa - (ipa % top) + top / 2n) / region;
      if (!taken.has(other)) keepers.set(other, other * region);
    }
  }
  return [...keepers.values()].map((ipa, i) => ({
    name: `${name} neighbour ${i}`,
    ipa,
    page: memory.take(bytes),
    mapping: 'page' as const,
    level: LAST_LEVEL,
    device: false,
  }));
}

/** Pages for the guest's own tables, in the third top-level entry, which no request touches. */
function layOutStage1(
  options: WorldOptions,
  geometry: Geometry,
  name: string,
  memory: Bump,
): readonly GuestPage[] {
  const bytes = pageBytes(options.features.granule);
  const base = 3n * levelBytes(options.features.granule, geometry.startLevel);
  return Array.from({ length: options.stage1Pages ?? 0 }, (_, i) => ({
    name: `${name} stage-1 table ${i}`,
    ipa: base + BigInt(i) * bytes,
    page: memory.take(bytes),
    mapping: 'page' as const,
    level: LAST_LEVEL,
    device: false,
  }));
}

function alignDownTo(address: bigint, size: bigint): bigint {
  return address - (address % size);
}

function levelOf(mapping: Mapping): Level {
  switch (mapping) {
    case 'page':
    case 'unmapped':
      return LAST_LEVEL;
    case 'block':
      return 2;
    case 'block1':
      return 1;
  }
}

function requestRange(
  options: WorldOptions,
  geometry: Geometry,
  pages: readonly GuestPage[],
): IpaRange {
  const first = pages[0];
  const last = pages.at(-1);
  if (first === undefined || last === undefined) throw new RangeError('a world needs a page');
  const bytes = pageBytes(geometry.granule);
  const end = last.ipa + levelBytes(geometry.granule, last.level);
  switch (options.range ?? 'tight') {
    case 'tight':
      return { start: first.ipa, end };
    case 'wide':
      return { start: first.ipa, end: first.ipa + WIDE_PAGES * bytes };
    case 'unaligned-end':
      return { start: first.ipa, end: end - bytes / 2n };
    case 'inside-block':
      return { start: first.ipa + bytes, end: end - bytes };
  }
}

function vmPages(vm: VmWorld): readonly WorldPage[] {
  return [
    ...vm.tables.map(({ page, level }): WorldPage => ({
      base: page,
      use: 'table',
      vmid: vm.vmid,
      name: `${vm.name} level-${level} table at 0x${page.toString(16)}`,
    })),
    ...[...vm.guestPages, ...vm.stage1Pages, ...vm.keepers].map(
      ({ page, name, device }): WorldPage => ({
        base: page,
        use: device ? 'device' : 'guest',
        vmid: vm.vmid,
        name,
      }),
    ),
    ...vm.sparePages.map((base, i): WorldPage => ({
      base,
      use: 'guest',
      vmid: vm.vmid,
      name: `${vm.name} spare page ${i}`,
    })),
  ];
}
