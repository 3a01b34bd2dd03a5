import type { Features } from '../arm64/features.ts';
import type { BarrierDomain } from '../program/effect.ts';
import type { Draft } from './draft.ts';
import type { EffectInfo } from './effect-info.ts';
import type { Fact } from './facts.ts';
import { coversTlbi } from './local-order.ts';
import { MARK } from './translation-entry.ts';
import { addFlags, AT, FLAG, flagsOf, get, MARK_SHIFT, set } from './window.ts';

/**
 * A TLBI is asynchronous: it is issued, takes effect at each PE of its domain at some later time, and
 * is complete when it has taken effect everywhere and nothing holds it up. A DSB of the issuer waits
 * for that (R_DCJQM, R_PSMWS); nobody else's DSB does.
 */

/** Issues the TLBI of an instance. False when the ledger is full: the issue waits. */
export function issueTlbi(
  draft: Draft,
  pe: number,
  index: number,
  info: EffectInfo,
  operand: bigint,
  contextId: number,
  features: Features,
  facts: Fact[],
): boolean {
  const op = info.tlbi;
  if (op === null || info.effect.kind !== 'tlbi') return false;
  const slot = draft.freeSlot();
  if (slot < 0) return false;
  const { vmid } = draft.tlbs.contexts.context(contextId);
  const invalidation = draft.tlbs.invalidations.id(`${op.name},${operand},${vmid}`, () => ({
    op,
    operand,
    context: { vmid, granule: features.granule, features },
  }));
  const all = (1 << draft.threads.length) - 1;
  const { faults } = draft;
  const isLocal = op.scope === 'local' && !faults?.has('tlbi-always-broadcast');
  const reachesOne = isLocal || faults?.has('tlbi-broadcast-ignored') === true;
  draft.openSlot(slot, pe, invalidation, reachesOne ? 1 << pe : all);
  const w = draft.window(pe);
  set(w, index, AT.value, slot);
  addFlags(w, index, FLAG.fired);
  facts.push({
    kind: 'tlbi-issued',
    pe,
    op: op.name,
    vmid,
    intendedVmid: info.effect.intendedVmid,
  });
  return true;
}

/**
 * Delivers an outstanding TLBI to one PE: matching entries go, and accesses that already used
 * something now out of date and in scope hold the completion up until they are performed, faults on
 * such information included (R_STPSQ, unchecked pairing). The translation of an earlier access with
 * the same page offset holds it up too. The caller closes the PE's TLB again: what memory and the
 * remaining entries still give may be refilled at once.
 *
 * On the issuing PE itself only later instructions matter, which the DSB and a context
 * synchronisation event order. `forgetsAccesses` is the erratum under which completion waits for
 * nothing. Returns whether some access now holds the completion up.
 */
export function deliver(draft: Draft, slot: number, pe: number, forgetsAccesses: boolean): boolean {
  const invalidationId = draft.slotInvalidation(slot);
  draft.setSlotPending(slot, draft.slotPending(slot) & ~(1 << pe));
  draft.setTlb(pe, draft.tlbs.remove(draft.tlb(pe), invalidationId));
  const issuer = draft.slotIssuer(slot);
  if (pe === issuer || draft.faults?.has('tlbi-forgets-accesses')) return false;
  if (!draft.hasTranslation(pe)) return false;
  let heldUp = false;
  const { op, operand, context } = draft.tlbs.invalidations.item(invalidationId);
  const bit = 1 << slot;
  const w = draft.window(pe);
  for (let j = 0; j < w.count; j += 1) {
    const result = get(w, j, AT.result);
    if (result < 0) continue;
    const flags = flagsOf(w, j);
    // Under the erratum the next TLBI waits for what an earlier one forgot: that is the workaround.
    if ((flags & FLAG.owed) !== 0 && isUnfinished(flags, w.infos[j] as EffectInfo)) {
      set(w, j, AT.obligations, get(w, j, AT.obligations) | bit);
      heldUp = true;
      continue;
    }
    if (((flags >> MARK_SHIFT) & MARK.stale) === 0) continue;
    if (!draft.tlbs.matches(op, operand, context, draft.tlbs.results.item(result).info)) continue;
    // With nXS it is complete without the accesses that have the XS attribute.
    if (op.nxs && hasXs(draft, result)) continue;
    if (isUnfinished(flags, w.infos[j] as EffectInfo)) {
      if (forgetsAccesses) {
        addFlags(w, j, FLAG.owed);
        heldUp = true;
        continue;
      }
      set(w, j, AT.obligations, get(w, j, AT.obligations) | bit);
      heldUp = true;
    }
    if (draft.faults?.has('tlbi-forgets-same-offset')) continue;
    // Both of the pair are accesses to memory: a fault has no physical address to share.
    const address = draft.address(pe, j);
    if (address === undefined || (flags & FLAG.faulted) !== 0) continue;
    for (let i = 0; i < j; i += 1) {
      const earlier = w.infos[i] as EffectInfo;
      if (!earlier.translated || (flagsOf(w, i) & FLAG.translated) !== 0) continue;
      const other = draft.address(pe, i);
      if (other !== undefined && ((other ^ address) & 0xfffn) === 0n) {
        set(w, i, AT.translationObligations, get(w, i, AT.translationObligations) | bit);
        heldUp = true;
      }
    }
  }
  return heldUp;
}

/**
 * Whether the TLBIs before instance `j` of a PE are complete but for accesses with XS = 1: what a
 * DSB nXS waits for (R_TSJSN, I_TFQRW, unchecked pairings). Those of its domain only.
 */
export function isCompleteButForXs(
  draft: Draft,
  pe: number,
  j: number,
  domain: BarrierDomain,
): boolean {
  const own = draft.window(pe);
  for (let i = 0; i < j; i += 1) {
    if ((own.infos[i] as EffectInfo).tlbi === null) continue;
    if ((flagsOf(own, i) & FLAG.complete) !== 0 || !coversTlbi(own, i, domain)) continue;
    const slot = get(own, i, AT.value);
    if (draft.slotPending(slot) !== 0) return false;
    for (let other = 0; other < draft.threads.length; other += 1) {
      const w = draft.window(other);
      for (let k = 0; k < w.count; k += 1) {
        if ((get(w, k, AT.translationObligations) & (1 << slot)) !== 0) return false;
        if ((get(w, k, AT.obligations) & (1 << slot)) === 0) continue;
        if (!hasXs(draft, get(w, k, AT.result))) return false;
      }
    }
  }
  return true;
}

/** Whether an access through this translation has the XS attribute; a fault has not. */
function hasXs(draft: Draft, result: number): boolean {
  const { fault, entry } = draft.tlbs.results.item(result);
  return fault === null && entry?.memoryType.xs === true;
}

function isUnfinished(flags: number, info: EffectInfo): boolean {
  if ((flags & FLAG.faulted) !== 0) return (flags & FLAG.faultDone) === 0;
  if (info.writes) return (flags & (FLAG.written | FLAG.noWrite)) === 0;
  return (flags & FLAG.read) === 0;
}
