import type { Features } from '../../arm64/features.ts';
import { pa as toPa } from '../../arm64/address.ts';
import {
  descriptorAddress,
  LAST_LEVEL,
  LEVELS,
  levelBytes,
  type Geometry,
  type Level,
} from '../../arm64/geometry.ts';
import { bitsPerLevel, DESCRIPTOR_BYTES, pageBytes, pageShift } from '../../arm64/granule.ts';
import type { Candidate, OperationKind } from '../../candidates/candidate.ts';
import type { HostCode } from '../../candidates/host-code.ts';
import type { Kvm } from '../../candidates/kvm-v5_8/kvm.ts';
import { kvmStage2Geometry } from '../../candidates/kvm-v5_8/pgtable.ts';
import { privateCounts } from '../../candidates/kvm-v5_8/table-counts.ts';
import type { Request } from '../../candidates/operation.ts';
import { bumpFrom } from '../../candidates/world/bump.ts';
import { buildStage2Tree, type LeafSpec } from '../../candidates/world/tables.ts';
import { decodeStage2 } from '../../arm64/stage2-descriptor.ts';
import { isInputError, type InputError } from '../../scenario/input-error.ts';
import {
  layOut,
  pagesPerEntry,
  type FullSize,
  type Layout,
  type Run,
  type Side,
} from './layout.ts';

/**
 * The stage-2 tree of one VM at full size, as host code finds it. Pages are named by their number,
 * IPA / page size. Guest memory is linear: one offset between IPAs and physical addresses.
 */
export interface FullWorld {
  readonly features: Features;
  readonly geometry: Geometry;
  /** All mapped pages, ascending; those of the range, and neighbours. */
  readonly runs: readonly Run[];
  /** First page of the range, and the one after its last. */
  readonly range: { readonly from: number; readonly to: number };
  readonly memory: ReadonlyMap<bigint, bigint>;
  readonly root: bigint;
  /** The entry at a physical address: its level and the first page it covers; null outside of tables. */
  readonly entryAt: (address: bigint) => { readonly level: Level; readonly page: number } | null;
  /** The entry that points to a table page; null for the root and for what is no table. */
  readonly parentOf: (table: bigint) => { readonly level: Level; readonly page: number } | null;
  /** Physical address of a page. */
  readonly addressOf: (page: number) => bigint;
  /** IPA of a page. */
  readonly ipaOf: (page: number) => bigint;
  /** The page at a physical address, or -1. */
  readonly pageAt: (address: bigint) => number;
  /** A page of the VM that nothing maps: what a remap puts in the place of the old one. */
  readonly spare: bigint;
  /** Where the guest has its own table: in the last top-level entry, which no range reaches. */
  readonly stage1Table: { readonly ipa: bigint; readonly page: bigint };
  /** The entries that a walk of an IPA goes through at the start, from the root. */
  readonly walkOf: (ipa: bigint) => readonly WalkStep[];
  /** Table pages with their levels. */
  readonly tables: readonly { readonly page: bigint; readonly level: Level }[];
  /** The fewest pages that a range of this kind may have. */
  readonly unit: number;
  /** The whole host thread: the operation of the candidate on the range. */
  readonly host: (candidate: Candidate) => HostCode;
}

/** One entry of a walk. */
export interface WalkStep {
  readonly level: Level;
  /** Physical address of the entry, of the table page it lies in, and what it holds. */
  readonly entry: bigint;
  readonly table: bigint;
  readonly value: bigint;
}

/** Where tables and guest memory lie; the largest block that a range may have is 1 TiB. */
const TABLE_BASE = 0x4000_0000n;
const GUEST_BASE = 1n << 40n;
const SPARE_BASE = 1n << 44n;
const STAGE1_PAGE = 1n << 45n;
/** The VMID of the only VM. */
export const VMID = 1;

/** Builds the world of an operation. An error is one sentence about what was asked for. */
export function buildFullWorld(
  size: FullSize,
  operation: OperationKind,
  side: Side = 'in-front',
): FullWorld | InputError {
  const { features } = size;
  const geometry = kvmStage2Geometry(features);
  const { granule } = features;
  const bytes = pageBytes(granule);
  const laidOut = layOut(size, geometry, operation, side);
  if (isInputError(laidOut)) return laidOut;
  const { runs, range, step } = laidOut;
  const first = runs[0]?.from ?? 0;
  // One offset for all, a multiple of the largest block, so that every block is aligned.
  const top = levelBytes(granule, geometry.startLevel);
  const base = (BigInt(first) * bytes) / top;
  const offset = GUEST_BASE - base * top;
  const addressOf = (page: number): bigint => BigInt(page) * bytes + offset;

  const leaves: LeafSpec[] = [];
  for (const { from, to, level } of runs) {
    const step = pagesPerEntry(geometry, level);
    for (let page = from; page < to; page += step) {
      leaves.push({
        ipa: BigInt(page) * bytes,
        output: addressOf(page),
        level,
        write: true,
        execute: true,
        device: false,
      });
    }
  }
  const tableIpa = BigInt(geometry.rootEntries - 1) * top;
  leaves.push({
    ipa: tableIpa,
    output: STAGE1_PAGE,
    level: LAST_LEVEL,
    write: true,
    execute: true,
    device: false,
  });
  const tree = buildStage2Tree(features, geometry, leaves, bumpFrom(TABLE_BASE));
  const tables = new Map(tree.tables.map((table) => [table.page, table]));
  const bits = bitsPerLevel(granule);
  const shift = pageShift(granule);
  const rootBytes = BigInt(geometry.rootPages) * bytes;

  function entryAt(address: bigint): { level: Level; page: number } | null {
    const page = address & ~(bytes - 1n);
    const table = tables.get(page);
    if (table === undefined) return null;
    const each = pagesPerEntry(geometry, table.level);
    if (page >= tree.root && page < tree.root + rootBytes) {
      return {
        level: geometry.startLevel,
        page: Number((address - tree.root) / DESCRIPTOR_BYTES) * each,
      };
    }
    const start = Number(table.ipa >> BigInt(shift));
    const region = each * 2 ** bits;
    const index = Number((address - page) / DESCRIPTOR_BYTES);
    return { level: table.level, page: start - (start % region) + index * each };
  }

  function kvm(): Kvm {
    return {
      features,
      vmid: VMID,
      geometry,
      root: tree.root,
      pgdPointer: null,
      mmuLock: 0,
      counts: privateCounts(new Map(tree.tables.map(({ page, count }) => [page, count]))),
      notifier: null,
      backing: () => null,
      isDevice: () => false,
      watchedLines(start, length) {
        const lines: bigint[] = [];
        for (let line = start; line < start + length; line += bytes) lines.push(line);
        return lines;
      },
      tracked: null,
      // The code cannot tell; what the drop of the lock adds is looked at by the projection.
      reschedule: 'always',
    };
  }

  return {
    features,
    geometry,
    runs,
    range,
    memory: tree.words,
    root: tree.root,
    entryAt,
    parentOf(tablePage) {
      const table = tables.get(tablePage);
      if (table === undefined || table.level === geometry.startLevel) return null;
      const level = (table.level - 1) as Level;
      const start = Number(table.ipa >> BigInt(shift));
      return { level, page: start - (start % pagesPerEntry(geometry, level)) };
    },
    addressOf,
    ipaOf: (page) => BigInt(page) * bytes,
    pageAt(address) {
      if (address < GUEST_BASE || address >= SPARE_BASE) return -1;
      return Number((address - offset) >> BigInt(shift));
    },
    spare: SPARE_BASE,
    stage1Table: { ipa: tableIpa, page: STAGE1_PAGE },
    walkOf(ipa) {
      const steps: WalkStep[] = [];
      let table: bigint = tree.root;
      for (const level of LEVELS) {
        if (level < geometry.startLevel) continue;
        const entry = descriptorAddress(geometry, toPa(table), ipa, level);
        const value = tree.words.get(entry) ?? 0n;
        steps.push({ level, entry, table: entry & ~(bytes - 1n), value });
        const descriptor = decodeStage2(value, level, granule, features);
        if (descriptor.kind !== 'table') break;
        table = descriptor.next;
      }
      return steps;
    },
    tables: tree.tables,
    unit: laidOut.unit,
    host: (candidate) => hostThread(candidate, kvm(), { range, step, addressOf }),
  };
}

/** The operation of the candidate on the range; block by block where it is about one block. */
function* hostThread(
  candidate: Candidate,
  kvm: Kvm,
  world: Pick<Layout, 'range' | 'step'> & {
    readonly addressOf: (page: number) => bigint;
  },
): HostCode {
  const { operation } = candidate;
  const { step } = world;
  const { from, to } = world.range;
  for (let page = from; page < to; page += step) {
    yield* candidate.host(kvm, requestFor(operation, kvm, world.addressOf, page, page + step));
  }
}

/** What the host does with the pages after each kind of operation, as in the small scenarios. */
const AFTERWARDS: { readonly [operation in OperationKind]: Request['afterwards'] } = {
  unmap: 'read-then-reuse',
  remap: 'reuse',
  block: 'nothing',
  'write-protect': 'nothing',
  fault: 'nothing',
};

function requestFor(
  operation: OperationKind,
  kvm: Kvm,
  addressOf: (page: number) => bigint,
  from: number,
  to: number,
): Request {
  const bytes = pageBytes(kvm.geometry.granule);
  const pages = Array.from({ length: to - from }, (_, i) => ({
    ipa: BigInt(from + i) * bytes,
    page: addressOf(from + i),
  }));
  return {
    range: { start: BigInt(from) * bytes, end: BigInt(to) * bytes },
    pages,
    afterwards: AFTERWARDS[operation],
    newBacking: operation === 'remap' ? SPARE_BASE : null,
    handover: null,
    ...(operation === 'block' && to - from > pagesPerEntry(kvm.geometry, 2)
      ? { blockLevel: 1 as const }
      : {}),
  };
}
