import { pageShift } from '../arm64/granule.ts';
import type { Announcement } from '../program/effect.ts';
import type { Draft } from './draft.ts';
import type { Fact } from './facts.ts';
import { isDeadAfter, type Removal } from './stale-marks.ts';
import type { MachineSetup } from './setup.ts';
import { MARK } from './translation-entry.ts';
import { addFlags, AT, flagsOf, get, MARK_SHIFT } from './window.ts';

/** What host code says about itself changes only the ghost state that rules look at, or is a fact. */
export function announce(
  draft: Draft,
  setup: MachineSetup,
  pe: number,
  fact: Announcement,
  facts: () => Fact[],
): void {
  switch (fact.kind) {
    case 'check-failed':
      facts().push({ kind: 'check-failed', pe, check: fact.check });
      return;
    case 'operation-begins':
    case 'content-relied-on':
      return;
    case 'operation-returns': {
      const mark = fact.removes === 'write-permission' ? MARK.writeRevoked : MARK.dead;
      for (let pe = 0; pe < draft.threads.length; pe += 1) {
        draft.setTlb(pe, draft.tlbs.markDead(draft.tlb(pe), fact, mark, draft.walkedMemory()));
        if (draft.hasTranslation(pe)) markDeadInFlight(draft, pe, fact, mark);
        if (fact.removes === 'write-permission') {
          const left = writableNow(draft, setup, pe, fact);
          if (left !== null) facts().push({ kind: 'right-left', pe, address: left });
        }
      }
      return;
    }
    case 'page-reused': {
      const ghost = draft.touchGhost();
      const index = ghost.pageOf(fact.page);
      if (index < 0) return;
      const page = ghost.page(index);
      ghost.setPage(index, page.use, page.vmid, true);
      return;
    }
  }
}

/**
 * A page of the operation that a walk of memory as it is lets the PE write, or null. Nothing old is needed
 * for that: an entry was passed over, or one entry of a contiguous group gives the right for the others. In
 * stage 2 nobody else may have given the right back, and it is asked for the VAs that somebody may use.
 */
function writableNow(
  draft: Draft,
  { watchedVas, translation }: MachineSetup,
  pe: number,
  { vmid, asid, pages, alone }: Announcement & { readonly kind: 'operation-returns' },
): bigint | null {
  const id = draft.context(pe);
  const context = draft.tlbs.contexts.context(id);
  const concerned =
    asid === undefined
      ? alone === true && context.stage2 !== null && context.el < 2 && context.vmid === vmid
      : context.stage1 !== null && context.asid === asid;
  if (!concerned) return null;
  const shift = BigInt(pageShift(translation.features.granule));
  const isMeant = (ipa: bigint | null): boolean =>
    ipa !== null && pages.some((page) => page >> shift === ipa >> shift);
  const writable = (va: bigint): boolean =>
    draft.tlbs
      .translate(draft.tlb(pe), draft.walkedMemory(), id, va, 'write', context.el === 0)
      .some(({ result, marks }) => {
        const { fault, ipa } = draft.tlbs.results.item(result);
        return marks === 0 && fault === null && (asid !== undefined || isMeant(ipa));
      });
  return (asid === undefined ? watchedVas : pages).find(writable) ?? null;
}

/** Accesses that have their translation already are among what must not happen any more. */
function markDeadInFlight(draft: Draft, pe: number, removal: Removal, mark: number): void {
  const w = draft.window(pe);
  for (let i = 0; i < w.count; i += 1) {
    const result = get(w, i, AT.result);
    if (result < 0) continue;
    const { entry } = draft.tlbs.results.item(result);
    const marks = flagsOf(w, i) >> MARK_SHIFT;
    if (entry !== null && isDeadAfter(entry, marks, removal, draft.memory, draft.walkedMemory())) {
      addFlags(w, i, mark << MARK_SHIFT);
    }
  }
}
