import { calledFrom, within, type SourceLocation } from '../../program/source-location.ts';
import { call, dsb, isb, pageOf, store, type HostCode } from '../host-code.ts';
import { kvmFlushDcache } from './dcache.ts';
import { kvmTlbFlushVmidIpa } from './flush.ts';
import type { Kvm } from './kvm.ts';
import { outputOf } from './pgtable.ts';
import { MMU_C, PGTABLE_H } from './source-files.ts';
import type { EmptyTable, Leaf } from './unmap-plan.ts';

/** Lines of the four steps at a leaf, per level. */
interface LeafLines {
  readonly function: string;
  readonly clear: number;
  readonly clearText: string;
  readonly flush: number;
  readonly dcache: number;
  readonly put: number;
}

const LEAF_LINES: { readonly [level in Leaf['level']]: LeafLines } = {
  1: {
    function: 'unmap_stage2_puds',
    clear: 326,
    clearText: 'stage2_pud_clear(pud)',
    flush: 327,
    dcache: 328,
    put: 329,
  },
  2: {
    function: 'unmap_stage2_pmds',
    clear: 297,
    clearText: 'pmd_clear(pmd)',
    flush: 298,
    dcache: 300,
    put: 302,
  },
  3: {
    function: 'unmap_stage2_ptes',
    clear: 269,
    clearText: 'kvm_set_pte(pte, 0)',
    flush: 270,
    dcache: 274,
    put: 276,
  },
};

type LeafStep = 'clear' | 'flush' | 'dcache' | 'put';

/** Where v5.8 does one of the four steps at a leaf. */
export function leafLocation(leaf: Leaf, step: LeafStep, text: string): SourceLocation {
  const lines = LEAF_LINES[leaf.level];
  return within(MMU_C, lines.function)(lines[step], text);
}

/** The barriers after a store of a descriptor, per level: v5.8 has a function of its own for each. */
const SET_BARRIERS: { readonly [level in 0 | 1 | 2 | 3]: SetBarriers } = {
  0: { file: PGTABLE_H, function: 'set_p4d', dsb: 615, isb: 616 },
  1: { file: PGTABLE_H, function: 'set_pud', dsb: 554, isb: 555 },
  2: { file: MMU_C, function: 'kvm_set_pmd', dsb: 206, isb: null },
  3: { file: MMU_C, function: 'kvm_set_pte', dsb: 200, isb: null },
};

interface SetBarriers {
  readonly file: string;
  readonly function: string;
  readonly dsb: number;
  readonly isb: number | null;
}

/**
 * `kvm_set_pte`, `kvm_set_pmd`, `kvm_set_pud` and the functions that publish a table: a store of a
 * descriptor, then DSB ISHST, and at levels 0 and 1 an ISB.
 */
export function* setEntry(
  cell: bigint,
  value: bigint,
  level: 0 | 1 | 2 | 3,
  location: SourceLocation,
): HostCode {
  const lines = SET_BARRIERS[level];
  const at = within(lines.file, lines.function);
  yield store(cell, value, location);
  yield dsb('st', 'ish', calledFrom(at(lines.dsb, 'dsb(ishst)'), location));
  if (lines.isb !== null) yield isb(calledFrom(at(lines.isb, 'isb()'), location));
}

/**
 * Takes the mapping out of the entry. A page entry goes through `kvm_set_pte`, which ends with a
 * store barrier; `pmd_clear` and `pud_clear` have none, because `set_pmd` orders only valid values.
 */
export function* clearLeaf(_kvm: Kvm, leaf: Leaf, value = 0n): HostCode {
  const location = leafLocation(leaf, 'clear', LEAF_LINES[leaf.level].clearText);
  if (leaf.level === 3) yield* setEntry(leaf.cell, value, 3, location);
  else yield store(leaf.cell, value, location);
}

/** `kvm_tlb_flush_vmid_ipa` for the leaf. */
export function* flushLeaf(kvm: Kvm, leaf: Leaf): HostCode {
  yield* call(
    leafLocation(leaf, 'flush', 'kvm_tlb_flush_vmid_ipa(addr)'),
    kvmTlbFlushVmidIpa(kvm, leaf.address),
  );
}

/**
 * `kvm_flush_dcache_p*d` for the page or block. Only the page level asks whether it is a device; a
 * device is never mapped by blocks in v5.8.
 */
export function* maintainLeaf(kvm: Kvm, leaf: Leaf): HostCode {
  const output = outputOf(kvm, leaf.bits, leaf.level);
  if (leaf.level === 3 && kvm.isDevice(output)) return;
  yield* call(
    leafLocation(leaf, 'dcache', 'kvm_flush_dcache(old)'),
    kvmFlushDcache(kvm, output, leaf.level),
  );
}

/** `put_page(virt_to_page(entry))`: one live entry less in the table page. */
export function* putLeaf(kvm: Kvm, leaf: Leaf): HostCode {
  yield* kvm.counts.put(
    pageOf(leaf.cell, kvm.geometry.granule),
    leafLocation(leaf, 'put', 'put_page(table of the entry)'),
  );
}

/** Lines of the steps at an empty table, by the level of the entry that points to it. */
interface TableLines {
  readonly function: string;
  readonly clear: number;
  readonly flush: number;
  readonly free: number;
  readonly put: number;
  readonly text: string;
}

const TABLE_LINES: ReadonlyMap<number, TableLines> = new Map([
  [
    0,
    {
      function: 'clear_stage2_p4d_entry',
      clear: 171,
      flush: 172,
      free: 173,
      put: 174,
      text: 'stage2_p4d_clear(p4d)',
    },
  ],
  [
    1,
    {
      function: 'clear_stage2_pud_entry',
      clear: 181,
      flush: 182,
      free: 183,
      put: 184,
      text: 'stage2_pud_clear(pud)',
    },
  ],
  [
    2,
    {
      function: 'clear_stage2_pmd_entry',
      clear: 191,
      flush: 192,
      free: 193,
      put: 194,
      text: 'pmd_clear(pmd)',
    },
  ],
]);

type TableStep = 'clear' | 'flush' | 'free' | 'put';

/** Where v5.8 does one of the four steps at an empty table. */
export function tableLocation(table: EmptyTable, step: TableStep, text: string): SourceLocation {
  const lines = TABLE_LINES.get(table.parentLevel);
  if (lines === undefined) throw new Error(`no table hangs below level ${table.parentLevel}`);
  return within(MMU_C, lines.function)(lines[step], text);
}

/**
 * Takes the table out of its parent entry. No barrier follows at levels 1 and 2, whose set functions
 * order valid values only; `p4d_clear` goes through `set_p4d`, which always ends with DSB and ISB.
 */
export function* clearTable(_kvm: Kvm, table: EmptyTable): HostCode {
  const text = TABLE_LINES.get(table.parentLevel)?.text ?? '';
  const location = tableLocation(table, 'clear', text);
  if (table.parentLevel === 0) yield* setEntry(table.parent, 0n, 0, location);
  else yield store(table.parent, 0n, location);
}

/** One IPA of the region is invalidated at any level, which drops the cached table descriptor. */
export function* flushTable(kvm: Kvm, table: EmptyTable): HostCode {
  yield* call(
    tableLocation(table, 'flush', 'kvm_tlb_flush_vmid_ipa(addr)'),
    kvmTlbFlushVmidIpa(kvm, table.address),
  );
}

/** Gives the table page back. */
export function* freeTable(_kvm: Kvm, table: EmptyTable): HostCode {
  yield {
    kind: 'free-page',
    page: table.table,
    location: tableLocation(table, 'free', 'free the table page'),
  };
}

/** One live entry less in the parent's page. */
export function* putTable(kvm: Kvm, table: EmptyTable): HostCode {
  yield* kvm.counts.put(
    pageOf(table.parent, kvm.geometry.granule),
    tableLocation(table, 'put', 'put_page(parent table)'),
  );
}

/** `clear_stage2_*_entry`: clear, flush, free, in this order. */
export function* dissolveTable(kvm: Kvm, table: EmptyTable): HostCode {
  yield* clearTable(kvm, table);
  yield* flushTable(kvm, table);
  yield* freeTable(kvm, table);
  yield* putTable(kvm, table);
}
