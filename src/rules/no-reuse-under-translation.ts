import type { Rule } from './rule.ts';

/** P2: a page has one owner at a time. */
export const noReuseUnderTranslation: Rule = {
  id: 'no-reuse-under-translation',
  family: 'P2',
  statement:
    'No access through a translation of one owner reaches a page that has been freed or handed to another owner.',
  why: "A freed page can be reused and rewritten at once. A guest that still reaches it reads the next owner's secrets or corrupts them.",
  sources: [
    'Linux Documentation/core-api/cachetlb.rst: a page may be freed only after the TLB flush',
    'Arm ARM R_DCJQM, R_LXHLD: only a completed invalidation ends accesses through the old translation',
  ],
  check(fact) {
    if (fact.kind !== 'access' || fact.page === null) return null;
    const { page } = fact;
    if (page.reused) {
      return `cpu${fact.pe} performs a ${fact.access} on ${page.name}, which has another owner`;
    }
    if (page.use === 'guest' && page.vmid !== null && page.vmid !== fact.vmid) {
      return `cpu${fact.pe} performs a ${fact.access} on ${page.name} with VMID ${fact.vmid}, but VMID ${page.vmid} owns it`;
    }
    if (page.use === 'free' || page.use === 'table' || page.use === 'host') {
      return `cpu${fact.pe} performs a ${fact.access} on ${page.name}, which is in use as ${page.use} page`;
    }
    return null;
  },
};
