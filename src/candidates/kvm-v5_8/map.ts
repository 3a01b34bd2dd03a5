import { within } from '../../program/source-location.ts';
import { call, load, pageOf, store, valueOf, type HostCode } from '../host-code.ts';
import { kvmTlbFlushVmidIpa } from './flush.ts';
import type { Kvm } from './kvm.ts';
import { stage2GetPmd, stage2GetPte, stage2GetPud } from './page-table.ts';
import { entryBase, entryBytes, isHuge, isPresent } from './pgtable.ts';
import { MMU_C } from './source-files.ts';
import type { UnmapPlan } from './unmap-plan.ts';
import { setEntry } from './unmap-steps.ts';
import { unmapStage2Range } from './unmap.ts';

/** What a form of the map path does at the points where forms differ. */
export interface MapPlan {
  /** A valid page entry is to be replaced by a different one: v5.8 clears it and flushes first. */
  readonly replacePage: (kvm: Kvm, pte: bigint, ipa: bigint, value: bigint) => HostCode;
  /** Whether nothing is done when the entry already has the value, as in v5.8. */
  readonly skipEqual: boolean;
  /** A table is in the place of a block: v5.8 unmaps the range below, then tries again. */
  readonly tableInTheWay: (
    kvm: Kvm,
    entry: bigint,
    ipa: bigint,
    level: 1 | 2,
  ) => HostCode<'retry' | 'go-on'>;
}

/** `stage2_set_pte`: maps one page. */
export function* stage2SetPte(kvm: Kvm, plan: MapPlan, ipa: bigint, value: bigint): HostCode {
  const at = within(MMU_C, 'stage2_set_pte');
  const pmd = yield* call(at(1361, 'find or make the tables'), stage2GetPmd(kvm, ipa));
  // With a level-1 block in the way v5.8 is only called while logging, which splits it first.
  if (pmd === null) throw new Error('a level-1 block covers the page to be mapped');
  const pte = yield* stage2GetPte(kvm, pmd, ipa);
  const old = valueOf(yield load(pte, at(1416, 'read *pte')));
  if (isPresent(old)) {
    if (old === value && plan.skipEqual) return;
    yield* plan.replacePage(kvm, pte, ipa, value);
    return;
  }
  yield* kvm.counts.get(pageOf(pte, kvm.geometry.granule), at(1425, 'get_page(pte table)'));
  yield* setEntry(pte, value, 3, at(1428, 'kvm_set_pte(pte, new)'));
}

/** Break before make, as v5.8: clear, flush, write. */
export function* breakBeforeMake(kvm: Kvm, pte: bigint, ipa: bigint, value: bigint): HostCode {
  const at = within(MMU_C, 'stage2_set_pte');
  yield* setEntry(pte, 0n, 3, at(1422, 'kvm_set_pte(pte, 0)'));
  yield* call(at(1423, 'kvm_tlb_flush_vmid_ipa(addr)'), kvmTlbFlushVmidIpa(kvm, ipa));
  yield* setEntry(pte, value, 3, at(1428, 'kvm_set_pte(pte, new)'));
}

/** The functions that map a block, with the lines of their steps. */
const SET_HUGE = {
  1: { name: 'stage2_set_pud_huge', entry: 'pud', get: 1252, read: 1255, unmap: 1271, clear: 1276 },
  2: { name: 'stage2_set_pmd_huge', entry: 'pmd', get: 1188, read: 1191, unmap: 1221, clear: 1236 },
} as const;

/** The table below the block is emptied by the unmap path; the entry is then looked up again. */
export function unmapThenRetry(unmap: UnmapPlan): MapPlan['tableInTheWay'] {
  return function* (kvm, _entry, ipa, level) {
    const start = entryBase(kvm, ipa, level);
    const lines = SET_HUGE[level];
    yield* call(
      within(MMU_C, lines.name)(lines.unmap, 'unmap_stage2_range(block)'),
      unmapStage2Range(kvm, unmap, { start, end: start + entryBytes(kvm, level) }),
    );
    return 'retry';
  };
}

/** `stage2_set_pmd_huge`, `stage2_set_pud_huge`: maps one block of level 2 or 1. */
export function* stage2SetHuge(
  kvm: Kvm,
  plan: MapPlan,
  ipa: bigint,
  value: bigint,
  level: 1 | 2,
): HostCode {
  const lines = SET_HUGE[level];
  const { entry: word } = lines;
  const at = within(MMU_C, lines.name);
  for (;;) {
    const cell = yield* call(
      at(lines.get, `stage2_get_${word}()`),
      level === 2 ? stage2GetPmd(kvm, ipa) : stage2GetPud(kvm, ipa),
    );
    if (cell === null) throw new Error('a level-1 block covers the block to be mapped');
    const old = valueOf(yield load(cell, at(lines.read, `read *${word}`)));
    if (old === value && plan.skipEqual) return;
    if (!isPresent(old)) {
      yield* kvm.counts.get(
        pageOf(cell, kvm.geometry.granule),
        at(lines.clear + 3, `get_page(${word} table)`),
      );
    } else if (isHuge(old)) {
      yield store(cell, 0n, at(lines.clear, `${word}_clear(${word})`));
      yield* call(
        at(lines.clear + 1, 'kvm_tlb_flush_vmid_ipa(addr)'),
        kvmTlbFlushVmidIpa(kvm, ipa),
      );
    } else if ((yield* plan.tableInTheWay(kvm, cell, ipa, level)) === 'retry') {
      continue;
    }
    yield* setEntry(cell, value, level, at(lines.clear + 6, `kvm_set_${word}(${word}, new)`));
    return;
  }
}
