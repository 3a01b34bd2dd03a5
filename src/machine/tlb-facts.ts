import type { Draft } from './draft.ts';
import type { Fact } from './facts.ts';

/**
 * What can be said of a PE by looking at what it may hold: a table entry that leads into a freed
 * page, two live translations of one address. Looked at whenever the set or a page has changed.
 */
export function tlbFacts(draft: Draft, pe: number, before: number, facts: Fact[]): void {
  const now = draft.tlb(pe);
  if (now === before) return;
  freedTables(draft, pe, now, facts);
}

function freedTables(draft: Draft, pe: number, set: number, facts: Fact[]): void {
  const { tlbs } = draft;
  for (const code of tlbs.codes(set)) {
    const entry = tlbs.entries.item(code >> 3);
    if (entry.kind !== 's2-table' && entry.kind !== 's1-table') continue;
    const ghost = draft.touchGhost();
    const page = ghost.pageOf(entry.output);
    if (page < 0) continue;
    const { use, base } = ghost.page(page);
    // A guest keeps its stage-1 tables in guest pages.
    const fits = entry.kind === 's2-table' ? use === 'table' : use !== 'free';
    if (!fits) facts.push({ kind: 'freed-table-reachable', pe, page: base, entry });
  }
}
