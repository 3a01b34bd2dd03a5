import { within, type SourceLocation } from '../../program/source-location.ts';
import { load, pageOf, valueOf, type HostCode } from '../host-code.ts';
import type { Kvm } from './kvm.ts';
import { entryAddress, hasPmd, hasPud, isHuge, isNone, makeTable, tableOf } from './pgtable.ts';
import { MMU_C } from './source-files.ts';
import { setEntry } from './unmap-steps.ts';

/**
 * A table page from the allocator. v5.8 takes it out of a per-vCPU cache that is filled before the
 * lock is taken; here it is taken when it is needed, so a page freed a moment ago may come back
 * sooner than in v5.8.
 */
function* allocTable(kvm: Kvm, location: SourceLocation): HostCode<bigint> {
  const page = valueOf(yield { kind: 'alloc-page', use: 'table', location });
  yield* kvm.counts.fresh(page, location);
  return page;
}

/** The entry at `cell` of `level` gets a new table if it is empty; the result is its content. */
function* populate(
  kvm: Kvm,
  cell: bigint,
  level: 0 | 1 | 2,
  at: (line: number, text: string) => SourceLocation,
  lines: {
    readonly read: number;
    readonly alloc: number;
    readonly set: number;
    readonly get: number;
  },
): HostCode<bigint> {
  const old = valueOf(yield load(cell, at(lines.read, 'read the entry')));
  if (!isNone(old)) return old;
  const table = yield* allocTable(kvm, at(lines.alloc, 'mmu_memory_cache_alloc()'));
  const bits = makeTable(kvm.geometry, kvm.features, level, table);
  yield* setEntry(cell, bits, level, at(lines.set, 'populate: publish the table'));
  yield* kvm.counts.get(pageOf(cell, kvm.geometry.granule), at(lines.get, 'get_page(table)'));
  return bits;
}

/** `stage2_get_pud`: the level-1 entry for an IPA, with tables made on the way. */
export function* stage2GetPud(kvm: Kvm, ipa: bigint): HostCode<bigint> {
  const p4d = entryAddress(kvm, kvm.root, ipa, kvm.geometry.startLevel);
  if (!hasPud(kvm)) return p4d;
  const at = within(MMU_C, 'stage2_get_pud');
  const bits = yield* populate(kvm, p4d, 0, at, { read: 1150, alloc: 1153, set: 1154, get: 1155 });
  return entryAddress(kvm, tableOf(kvm, bits, 0), ipa, 1);
}

/** `stage2_get_pmd`: the level-2 entry for an IPA; null when a level-1 block is in the way. */
export function* stage2GetPmd(kvm: Kvm, ipa: bigint): HostCode<bigint | null> {
  const pud = yield* stage2GetPud(kvm, ipa);
  if (!hasPmd(kvm)) return pud;
  const at = within(MMU_C, 'stage2_get_pmd');
  const bits = yield* populate(kvm, pud, 1, at, { read: 1168, alloc: 1174, set: 1175, get: 1176 });
  if (isHuge(bits)) return null;
  return entryAddress(kvm, tableOf(kvm, bits, 1), ipa, 2);
}

/** The level-3 entry for an IPA below a level-2 entry: the middle part of `stage2_set_pte`. */
export function* stage2GetPte(kvm: Kvm, pmd: bigint, ipa: bigint): HostCode<bigint> {
  const at = within(MMU_C, 'stage2_set_pte');
  const bits = yield* populate(kvm, pmd, 2, at, { read: 1402, alloc: 1405, set: 1406, get: 1407 });
  return entryAddress(kvm, tableOf(kvm, bits, 2), ipa, 3);
}
