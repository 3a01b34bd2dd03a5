import { KIND, type EffectInfo } from './effect-info.ts';
import type { PageFact } from './facts.ts';
import { isLine } from './memory.ts';
import { MARK } from './translation-entry.ts';
import { AT, FLAG, flagsOf, get, MARK_SHIFT, type Window } from './window.ts';
import type { StepContext } from './step-context.ts';

/** What an access shows to the rules. */
export interface AccessFacts {
  noteAccess(pe: number, w: Window, index: number): void;
  noteContent(pe: number, w: Window, j: number, valueId: number): void;
  noteFetch(pe: number, w: Window, j: number, valueId: number): void;
  /** A read that took its value from memory or a cache, not from an earlier store of its own PE. */
  noteRead(pe: number, w: Window, j: number, valueId: number): void;
  noteTableWrite(pe: number, w: Window, j: number): void;
}

/** Facts about accesses in one machine. */
export function createAccessFacts(step: StepContext): AccessFacts {
  const { draft, note } = step;
  const { memory, tlbs } = draft;
  const ended = step.setup.endedVms ?? [];

  function pageFact(pa: bigint): PageFact | null {
    const ghost = draft.touchGhost();
    const page = ghost.pageOf(pa);
    return page < 0 ? null : ghost.page(page);
  }

  function noteAccess(pe: number, w: Window, index: number): void {
    const result = get(w, index, AT.result);
    if (result < 0) return;
    const translated = tlbs.results.item(result);
    const marks = flagsOf(w, index) >> MARK_SHIFT;
    const page = pageFact(translated.pa);
    const ordinary =
      marks === 0 &&
      (page === null || (page.use === 'guest' && !page.reused && page.vmid === translated.vmid));
    if (ordinary) return;
    note({
      kind: 'access',
      pe,
      vmid: translated.vmid,
      access: (w.infos[index] as EffectInfo).access,
      pa: translated.pa,
      ipa: translated.ipa,
      stale: (marks & MARK.stale) !== 0,
      dead: (marks & MARK.dead) !== 0,
      rightRevoked:
        (marks & MARK.writeRevoked) !== 0 && (w.infos[index] as EffectInfo).access === 'write',
      overdue: (flagsOf(w, index) & FLAG.overdue) !== 0,
      page,
    });
  }

  function noteContent(pe: number, w: Window, j: number, valueId: number): void {
    const { effect } = w.infos[j] as EffectInfo;
    if (effect.kind !== 'load' || effect.at.kind !== 'physical') return;
    const cell = get(w, j, AT.cell);
    noteFreedPage(pe, 'read', memory.addressOf(cell));
    if (!isLine(draft.slot(cell))) return;
    const last = draft.touchGhost().lastStored(cell);
    if (last < 0) return;
    note({
      kind: 'content-read',
      pe,
      pa: memory.addressOf(cell),
      value: memory.value(valueId),
      lastStored: memory.value(last),
    });
  }

  function noteFetch(pe: number, w: Window, j: number, valueId: number): void {
    if ((w.infos[j] as EffectInfo).kind !== KIND.fetch) return;
    const cell = get(w, j, AT.cell);
    const last = draft.touchGhost().lastStoredByHost(cell);
    if (last < 0 || last === valueId) return;
    note({
      kind: 'stale-fetch',
      pe,
      pa: memory.addressOf(cell),
      value: memory.value(valueId),
      lastStored: memory.value(last),
    });
  }

  /**
   * Only where the host's store is the last one: what a guest reads after its own stores with
   * mismatched attributes is its own affair. Reads through a translation that is gone break other rules.
   */
  function noteRead(pe: number, w: Window, j: number, valueId: number): void {
    const info = w.infos[j] as EffectInfo;
    if (!info.translated || info.kind === KIND.fetch) return;
    if (((flagsOf(w, j) >> MARK_SHIFT) & MARK.stale) !== 0) return;
    const cell = get(w, j, AT.cell);
    if (!isLine(draft.slot(cell))) return;
    const last = draft.touchGhost().lastStoredByHost(cell);
    if (last < 0 || last === valueId) return;
    note({
      kind: 'stale-read',
      pe,
      pa: memory.addressOf(cell),
      value: memory.value(valueId),
      lastStored: memory.value(last),
    });
  }

  function noteTableWrite(pe: number, w: Window, j: number): void {
    if ((w.infos[j] as EffectInfo).translated) return;
    const pa = memory.addressOf(get(w, j, AT.cell));
    const page = pageFact(pa);
    if (page === null || (page.use !== 'table' && page.use !== 'free')) return;
    noteFreedPage(pe, 'write', pa);
    // Tables of a VM that has ended are unlinked: whoever frees them is alone with them, without a lock.
    if (!page.reused && page.vmid !== null && ended.includes(page.vmid)) return;
    note({
      kind: 'table-written',
      pe,
      pa,
      locksHeld: draft.touchGhost().locksHeld(pe),
      pageUse: page.use,
    });
  }

  function noteFreedPage(pe: number, access: 'read' | 'write', pa: bigint): void {
    const page = pageFact(pa);
    if (page?.use !== 'free') return;
    note({ kind: 'freed-page-used', pe, access, pa, name: page.name });
  }

  return { noteAccess, noteContent, noteFetch, noteRead, noteTableWrite };
}
