import type { Rule } from './rule.ts';

/** P3: page lifetime of tables. */
export const noWalkOfFreedTable: Rule = {
  id: 'no-walk-of-freed-table',
  family: 'P3',
  statement: 'No hardware walker can read a table page after it has been freed.',
  why: 'A walker may walk at any time, for any address, also by speculation. While some structure of a PE holds a table descriptor, the page it names may be read; once the page is reused its new contents are taken for descriptors, and the guest reaches memory chosen by whoever writes there.',
  sources: [
    'Arm ARM R_RVJDB: walk caches are TLBs; R_SQBCS, I_RCGCH: caching may happen at any time',
    'Arm ARM: leaf-only forms and level hints leave table entries (D8.17)',
    'Linux 36e008323926: no level hint when zapping table entries',
  ],
  check(fact) {
    if (fact.kind === 'freed-root-reachable') {
      return `cpu${fact.pe} may walk from a root table that has been freed`;
    }
    if (fact.kind !== 'freed-table-reachable') return null;
    return `cpu${fact.pe} may walk through a cached level-${fact.entry.info.level} table descriptor into a page that has been freed`;
  },
};
