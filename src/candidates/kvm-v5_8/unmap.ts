import type { Level } from '../../arm64/geometry.ts';
import { within } from '../../program/source-location.ts';
import { load, pageOf, valueOf, type HostCode } from '../host-code.ts';
import { condReschedLock } from './lock.ts';
import type { Kvm } from './kvm.ts';
import {
  addressEnd,
  entryAddress,
  entryBase,
  entryBytes,
  hasPmd,
  hasPud,
  isHuge,
  isNone,
  tableOf,
} from './pgtable.ts';
import { MMU_C } from './source-files.ts';
import type { IpaRange, Leaf, UnmapPlan } from './unmap-plan.ts';

/** The walk went through, or a plan that can fail gave up in the middle. */
export type UnmapOutcome = 'done' | 'failed';

/**
 * `unmap_stage2_range`: removes every mapping of a range of IPAs. The caller holds the lock; it can
 * be given away between two top-level entries and nowhere else.
 *
 * With page-aligned input it is the walk of v5.8. On a range that ends inside a page v5.8 runs past
 * it (the loop waits for equality); here the loops stop after the page, so that the effect of such
 * input on a flush can be studied.
 */
export function* unmapStage2Range(
  kvm: Kvm,
  plan: UnmapPlan,
  range: IpaRange,
): HostCode<UnmapOutcome> {
  const at = within(MMU_C, 'unmap_stage2_range');
  const top = kvm.geometry.startLevel;
  let address = range.start;
  do {
    // Someone may have freed the tables while the lock was given away.
    if (kvm.pgdPointer !== null) {
      const root = valueOf(yield load(kvm.pgdPointer, at(384, 'READ_ONCE(kvm->arch.pgd)')));
      if (root === 0n) break;
    }
    const next = addressEnd(kvm, address, range.end, top);
    // pgd_none is never true: the p4d level is folded in every arm64 configuration of v5.8.
    if ((yield* unmapStage2P4ds(kvm, plan, address, next)) === 'failed') {
      yield* plan.onFailure(kvm, range);
      return 'failed';
    }
    if (next !== range.end) yield* condReschedLock(kvm, at(394, 'cond_resched_lock(mmu_lock)'));
    address = next;
  } while (address < range.end);
  yield* plan.endOfWalk(kvm, range);
  return 'done';
}

/** One top-level entry. The p4d level is folded: the pgd entry is the p4d entry. */
export function* unmapStage2P4ds(
  kvm: Kvm,
  plan: UnmapPlan,
  address: bigint,
  end: bigint,
): HostCode<UnmapOutcome> {
  const at = within(MMU_C, 'unmap_stage2_p4ds');
  const p4d = entryAddress(kvm, kvm.root, address, kvm.geometry.startLevel);
  const tracked = firstTracked(kvm, address, end, kvm.geometry.startLevel);
  if (tracked !== null) {
    const bits = hasPud(kvm) ? valueOf(yield load(p4d, at(349, 'read *p4d'))) : null;
    if (bits === null || !isNone(bits)) {
      const outcome = yield* unmapStage2Puds(kvm, plan, p4d, bits, address, end);
      if (outcome === 'failed') return 'failed';
    }
  }
  // stage2_p4d_table_empty is always false: root pages live as long as the VM.
  yield* plan.endOfTopLevelEntry(kvm, { start: address, end });
  return 'done';
}

/** Level 1. Without a pud level the entry above is passed through. */
function* unmapStage2Puds(
  kvm: Kvm,
  plan: UnmapPlan,
  p4d: bigint,
  p4dBits: bigint | null,
  start: bigint,
  end: bigint,
): HostCode<UnmapOutcome> {
  const at = within(MMU_C, 'unmap_stage2_puds');
  const table = p4dBits === null ? null : tableOf(kvm, p4dBits, 0);
  for (const part of entries(kvm, start, end, 1)) {
    const pud = table === null ? p4d : entryAddress(kvm, table, part.start, 1);
    if (!hasPmd(kvm)) {
      return yield* unmapStage2Pmds(kvm, plan, pud, null, part.start, part.end);
    }
    const bits = valueOf(yield load(pud, at(322, 'read *pud')));
    if (isNone(bits)) continue;
    const outcome = isHuge(bits)
      ? yield* atLeaf(kvm, plan, { cell: pud, bits, address: part.start, level: 1 })
      : yield* unmapStage2Pmds(kvm, plan, pud, bits, part.start, part.end);
    if (outcome === 'failed') return 'failed';
  }
  if (table === null) return 'done';
  const page = pageOf(table, kvm.geometry.granule);
  if (yield* kvm.counts.isEmpty(page, at(336, 'page_count(pud table)'))) {
    yield* plan.emptyTable(kvm, { parent: p4d, parentLevel: 0, table, address: start });
  }
  return 'done';
}

/** Level 2. Without a pmd level the entry above is passed through. */
function* unmapStage2Pmds(
  kvm: Kvm,
  plan: UnmapPlan,
  pud: bigint,
  pudBits: bigint | null,
  start: bigint,
  end: bigint,
): HostCode<UnmapOutcome> {
  const at = within(MMU_C, 'unmap_stage2_pmds');
  const table = pudBits === null ? null : tableOf(kvm, pudBits, 1);
  for (const part of entries(kvm, start, end, 2)) {
    const pmd = table === null ? pud : entryAddress(kvm, table, part.start, 2);
    const bits = valueOf(yield load(pmd, at(293, 'read *pmd')));
    if (isNone(bits)) continue;
    const outcome = isHuge(bits)
      ? yield* atLeaf(kvm, plan, { cell: pmd, bits, address: part.start, level: 2 })
      : yield* unmapStage2Ptes(kvm, plan, pmd, bits, part.start, part.end);
    if (outcome === 'failed') return 'failed';
  }
  if (table === null) return 'done';
  const page = pageOf(table, kvm.geometry.granule);
  if (yield* kvm.counts.isEmpty(page, at(309, 'page_count(pmd table)'))) {
    yield* plan.emptyTable(kvm, { parent: pud, parentLevel: 1, table, address: start });
  }
  return 'done';
}

/** Level 3. */
function* unmapStage2Ptes(
  kvm: Kvm,
  plan: UnmapPlan,
  pmd: bigint,
  pmdBits: bigint,
  start: bigint,
  end: bigint,
): HostCode<UnmapOutcome> {
  const at = within(MMU_C, 'unmap_stage2_ptes');
  const table = tableOf(kvm, pmdBits, 2);
  for (const part of entries(kvm, start, end, 3)) {
    const pte = entryAddress(kvm, table, part.start, 3);
    const bits = valueOf(yield load(pte, at(266, 'read *pte')));
    if (isNone(bits)) continue;
    const leaf = { cell: pte, bits, address: part.start, level: 3 } as const;
    if ((yield* atLeaf(kvm, plan, leaf)) === 'failed') return 'failed';
  }
  const page = pageOf(table, kvm.geometry.granule);
  if (yield* kvm.counts.isEmpty(page, at(280, 'page_count(pte table)'))) {
    yield* plan.emptyTable(kvm, { parent: pmd, parentLevel: 2, table, address: start });
  }
  return 'done';
}

/** A leaf was found; the only place where a plan may make the walk give up. */
function* atLeaf(kvm: Kvm, plan: UnmapPlan, leaf: Leaf): HostCode<UnmapOutcome> {
  yield* plan.leaf(kvm, leaf);
  return (yield* plan.fails(kvm)) ? 'failed' : 'done';
}

/**
 * The parts of `[start, end)` that the entries of a level cover, in order; only the entries the
 * scenario tracks. A folded level has one part, the whole.
 */
function* entries(kvm: Kvm, start: bigint, end: bigint, level: Level): Generator<IpaRange, void> {
  if (level <= kvm.geometry.startLevel) {
    yield { start, end };
    return;
  }
  let address = start;
  while (address < end) {
    const tracked = firstTracked(kvm, address, end, level);
    if (tracked === null) return;
    const base = entryBase(kvm, tracked, level);
    const from = base > address ? base : address;
    const to = level === 3 ? base + entryBytes(kvm, 3) : addressEnd(kvm, from, end, level);
    yield { start: from, end: to };
    address = to;
  }
}

/**
 * First address of an entry of the level that meets `[start, end)` and holds a tracked page; null
 * when none does.
 */
function firstTracked(kvm: Kvm, start: bigint, end: bigint, level: Level): bigint | null {
  const base = entryBase(kvm, start, level);
  if (kvm.tracked === null) return base;
  for (const page of kvm.tracked) {
    if (page >= base && entryBase(kvm, page, level) < end) return page;
  }
  return null;
}
