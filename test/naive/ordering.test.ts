import { expect, test } from 'vitest';
import type { Effect } from '../../src/program/effect.ts';
import {
  dmb,
  dsb,
  guestContext,
  hostLoad,
  hostStore,
  load,
  s1Leaf,
  setup,
  store,
  thread,
} from './layout.ts';
import { outcomesOf } from './outcomes-of.ts';

/** The base memory model, without a translation under test except where one is named. */
const P = 0x80000n;
const Q = 0x81000n;
const idle = guestContext(null, null);

function together(...threads: readonly (readonly Effect[])[]): readonly string[] {
  return outcomesOf(
    setup({
      threads: threads.map((effects, i) => [thread(`P${i}`, effects), idle] as const),
      memory: {},
    }),
  );
}

test('MP: plain stores and loads may both be reordered', () => {
  expect(together([hostStore(P, 1n), hostStore(Q, 1n)], [hostLoad(Q), hostLoad(P)])).toEqual([
    '|0:0 1:0#80000=1 81000=1',
    '|0:0 1:1#80000=1 81000=1',
    '|0:1 1:0#80000=1 81000=1',
    '|0:1 1:1#80000=1 81000=1',
  ]);
});

test('MP with DMB ST and DMB LD: the new flag comes with the new data', () => {
  expect(
    together(
      [hostStore(P, 1n), dmb('st'), hostStore(Q, 1n)],
      [hostLoad(Q), dmb('ld'), hostLoad(P)],
    ),
  ).toEqual(['|0:0 2:0#80000=1 81000=1', '|0:0 2:1#80000=1 81000=1', '|0:1 2:1#80000=1 81000=1']);
});

test('MP with a barrier on the writer only is not enough', () => {
  expect(
    together([hostStore(P, 1n), dmb('st'), hostStore(Q, 1n)], [hostLoad(Q), hostLoad(P)]),
  ).toContain('|0:1 1:0#80000=1 81000=1');
});

test('SB: both loads may miss the other store, but not across DMB or DSB', () => {
  const side = (mine: bigint, other: bigint, ...between: readonly Effect[]) => [
    hostStore(mine, 1n),
    ...between,
    hostLoad(other),
  ];
  expect(together(side(P, Q), side(Q, P))).toContain('1:0|1:0#80000=1 81000=1');
  expect(together(side(P, Q, dmb()), side(Q, P, dmb()))).not.toContain('2:0|2:0#80000=1 81000=1');
  expect(together(side(P, Q, dsb()), side(Q, P, dsb()))).not.toContain('2:0|2:0#80000=1 81000=1');
});

test('LB without dependencies is allowed: a store passes an unfinished load', () => {
  expect(together([hostLoad(P), hostStore(Q, 1n)], [hostLoad(Q), hostStore(P, 1n)])).toContain(
    '0:1|0:1#80000=1 81000=1',
  );
});

test('LB is forbidden once a DMB LD keeps one store behind its load', () => {
  const one = [hostLoad(P), dmb('ld'), hostStore(Q, 1n)];
  const other = [hostLoad(Q), dmb('ld'), hostStore(P, 1n)];
  expect(together(one, other)).not.toContain('0:1|0:1#80000=1 81000=1');
});

test('CoRR: two loads of one location never see new, then old', () => {
  expect(together([hostStore(P, 1n)], [hostLoad(P), hostLoad(P)])).toEqual([
    '|0:0 1:0#80000=1',
    '|0:0 1:1#80000=1',
    '|0:1 1:1#80000=1',
  ]);
});

test('CoWR: a PE sees its own store, or a foreign one that is coherence-after it', () => {
  expect(together([hostStore(P, 1n), hostLoad(P)], [hostStore(P, 2n)])).toEqual([
    '1:1|#80000=1',
    '1:1|#80000=2',
    '1:2|#80000=2',
  ]);
});

test('store forwarding lets SB see its own store early', () => {
  const side = (mine: bigint, other: bigint) => [
    hostStore(mine, 1n),
    hostLoad(mine),
    hostLoad(other),
  ];
  expect(together(side(P, Q), side(Q, P))).toContain('1:1 2:0|1:1 2:0#80000=1 81000=1');
});

test('a store waits for T of an earlier access, since that access may fault', () => {
  const [VA, root] = [0x1000n, 0x10000n];
  const guest = guestContext(root, null);
  const found = outcomesOf(
    setup({
      threads: [[thread('g', [load(VA), hostStore(P, 1n)]), guest]],
      memory: {},
      watchedVas: [VA],
    }),
  );
  expect(found).toEqual(['0:translation@s1l3:1#']);
});

test('a store through the translation writes the page', () => {
  const [VA, root] = [0x1000n, 0x10000n];
  const guest = guestContext(root, null);
  const found = outcomesOf(
    setup({
      threads: [[thread('g', [store(VA + 8n, 3n), load(VA + 8n)]), guest]],
      memory: { [String(root + 8n)]: s1Leaf(P) },
      watchedVas: [VA],
    }),
  );
  expect(found).toEqual(['1:3#80008=3']);
});
