import { HOLDS, refuted, type Candidate, type Refutation } from '../candidate.ts';
import { flushTableLeafOnly, flushTableWithHint } from '../kvm-v5_8/table-flush.ts';
import { clearTable, flushTable, freeTable, putTable } from '../kvm-v5_8/unmap-steps.ts';
import { V5_8_UNMAP } from '../kvm-v5_8/unmap-v5_8.ts';
import { DEFERRED_RANGE_FLUSH, SEED_REFERENCE, STALE_LINE } from './deferred-range-flush.ts';
import { unmapCandidate } from './unmap-candidate.ts';

// Forms that treat an empty table differently.

const FREED_TABLE_WALKED: Refutation = {
  rule: 'P3',
  condition: 'when a PE has the table descriptor cached and walks after the free',
  needs: ['freed-tables'],
};

export const withoutTableFlush: Candidate = unmapCandidate({
  name: 'without-table-flush',
  title: 'the seed without the flush for a freed table',
  reference: SEED_REFERENCE,
  expected: ({ fwb }) => refuted(FREED_TABLE_WALKED, ...(fwb ? [] : [STALE_LINE])),
  why:
    'The table page is given back while walk caches still point to it: a PE reads descriptors out ' +
    'of whatever the page holds next. The range flush at the end comes too late.',
  plan: () => ({
    ...DEFERRED_RANGE_FLUSH,
    *emptyTable(kvm, table) {
      yield* clearTable(kvm, table);
      yield* freeTable(kvm, table);
      yield* putTable(kvm, table);
    },
  }),
});

export const tableFlushLeafOnly: Candidate = unmapCandidate({
  name: 'table-flush-leaf-only',
  title: 'v5.8 with a leaf-only flush for a freed table',
  reference: ['c2ff4764e03e7a8d758352f4aceb8fe1be6ac971 (the same mistake at stage 1)'],
  expected: () => refuted(FREED_TABLE_WALKED),
  why: 'IPAS2LE1IS removes entries from the last level only, so the cached table descriptor stays.',
  plan: () => ({
    ...V5_8_UNMAP,
    *emptyTable(kvm, table) {
      yield* clearTable(kvm, table);
      yield* flushTableLeafOnly(kvm, table);
      yield* freeTable(kvm, table);
      yield* putTable(kvm, table);
    },
  }),
});

export const tableFlushLevelHint: Candidate = unmapCandidate({
  name: 'table-flush-level-hint',
  title: 'v5.8 with the level of the cleared entry as a hint for a freed table',
  reference: ['36e008323926036650299cfbb2dca704c7aba849', '6d9d2115c480'],
  expected: ({ ttl }) => (ttl ? refuted(FREED_TABLE_WALKED) : HOLDS),
  why:
    'The hint promises a leaf at the level of the table entry. There is none, so with FEAT_TTL nothing ' +
    'need be removed (R_SQXYZ); without it the field is ignored.',
  plan: () => ({
    ...V5_8_UNMAP,
    *emptyTable(kvm, table) {
      yield* clearTable(kvm, table);
      yield* flushTableWithHint(kvm, table);
      yield* freeTable(kvm, table);
      yield* putTable(kvm, table);
    },
  }),
});

export const freeTableBeforeFlush: Candidate = unmapCandidate({
  name: 'free-table-before-flush',
  title: 'v5.8, but a table page is freed before the flush',
  reference: ['5c359cca1faf (a later form of the order)'],
  expected: () => refuted(FREED_TABLE_WALKED),
  why: 'Between the free and the end of the flush the page may have a new owner and still be walked.',
  plan: () => ({
    ...V5_8_UNMAP,
    *emptyTable(kvm, table) {
      yield* clearTable(kvm, table);
      yield* freeTable(kvm, table);
      yield* flushTable(kvm, table);
      yield* putTable(kvm, table);
    },
  }),
});
