import { describe, expect, test } from 'vitest';
import type { Features } from '../../src/arm64/features.ts';
import type { Effect } from '../../src/program/effect.ts';
import {
  dc,
  dsb,
  fetch,
  guestContext,
  host,
  hostLoad,
  hostStore,
  ic,
  isb,
  load,
  page,
  s1Leaf,
  s2Leaf,
  setup,
  store,
  thread,
  tlbi,
} from './layout.ts';
import { outcomesOf } from './outcomes-of.ts';

/** X -> (stage 1) IPA -> (stage 2) P; the stage-1 root is the guest's page at IPA TABLE. */
const X = 0x1000n;
const IPA = 0x5000n;
const TABLE = 0x6000n;
const P = 0x80000n;
const ROOT1 = 0x10000n;
const ROOT2 = 0x20000n;
const s1Cell = ROOT1 + (X >> 12n) * 8n;
const s2Cell = (ipa: bigint): bigint => ROOT2 + (ipa >> 12n) * 8n;
const nested = guestContext(TABLE, ROOT2);
const flat = guestContext(null, ROOT2);
const flush = [tlbi('IPAS2E1IS', page(IPA)), dsb(), tlbi('VMALLE1IS'), dsb()];

describe('stage-2 unmap, then the host reuses the page (writes 1) while the guest stores 2', () => {
  const unmap = (...maintenance: readonly Effect[]): readonly string[] =>
    outcomesOf(
      setup({
        threads: [
          [
            thread('h', [hostStore(s2Cell(IPA), 0n), dsb(), ...maintenance, hostStore(P, 1n)]),
            host(nested),
          ],
          [thread('g', [store(X, 2n)]), nested],
        ],
        memory: {
          [String(s1Cell)]: s1Leaf(IPA),
          [String(s2Cell(IPA))]: s2Leaf(P),
          [String(s2Cell(TABLE))]: s2Leaf(ROOT1),
        },
        watchedVas: [X],
      }),
    );
  const SAFE = ['|#80000=1', '|0:translation@s2l3:5#80000=1'];
  const LOST = ['|#80000=1', '|#80000=2', '|0:translation@s2l3:5#80000=1'];

  test('IPAS2E1IS; DSB; VMALLE1IS; DSB is the sequence (D8.17.6.1)', () => {
    expect(unmap(...flush)).toEqual(SAFE);
  });
  test('IPAS2E1IS alone leaves the combined entry (R_TVTYQ, R_VZZVZ)', () => {
    expect(unmap(tlbi('IPAS2E1IS', page(IPA)), dsb())).toEqual(LOST);
  });
  test('VMALLE1IS alone leaves the stage-2 entry', () => {
    expect(unmap(tlbi('VMALLE1IS'), dsb())).toEqual(LOST);
  });
  test('without the DSB in the middle a combined entry is rebuilt from the stage-2 entry', () => {
    expect(unmap(tlbi('IPAS2E1IS', page(IPA)), tlbi('VMALLE1IS'), dsb())).toEqual(LOST);
  });
  test('VMALLS12E1IS does both', () => {
    expect(unmap(tlbi('VMALLS12E1IS'), dsb())).toEqual(SAFE);
  });
  test('another IPA is not enough', () => {
    expect(unmap(tlbi('IPAS2E1IS', page(TABLE)), dsb(), tlbi('VMALLE1IS'), dsb())).toEqual(LOST);
  });
});

test('a stage-2 fault on the walk of stage 1 names the IPA of the table', () => {
  const found = outcomesOf(
    setup({
      threads: [[thread('g', [load(X)]), nested]],
      memory: { [String(s2Cell(IPA))]: s2Leaf(P) },
      watchedVas: [X],
    }),
  );
  expect(found).toEqual(['0:translation@s2l3:6w#']);
});

describe('contents: the guest runs with stage 1 off, so without FWB its store goes to the PoC', () => {
  const run = (steps: readonly Effect[], features: Partial<Features> = {}): readonly string[] =>
    outcomesOf(
      setup({
        threads: [
          [thread('h', [hostStore(s2Cell(IPA), 0n), ...steps, hostLoad(P)]), host(flat)],
          [thread('g', [store(IPA, 1n)]), flat],
        ],
        memory: { [String(s2Cell(IPA))]: s2Leaf(P, { fwb: features.fwb ?? false }) },
        watchedVas: [IPA],
        dataCache: 'modelled',
        pages: [{ base: P, use: 'guest', vmid: 1, name: 'page' }],
        features,
      }),
    );

  test('TLBI first, clean and invalidate after: the host reads the last store', () => {
    expect(run([dsb(), ...flush, dc('civac', P), dsb()])).toEqual([
      '8:0|0:translation@s2l3:5#',
      '8:1|#80000=1',
    ]);
  });

  test('clean and invalidate first: a clean copy filled in between hides the store', () => {
    expect(run([dc('civac', P), dsb(), ...flush])).toEqual([
      '7:0|#80000=0',
      '7:0|#80000=1',
      '7:0|0:translation@s2l3:5#',
      '7:1|#80000=0',
      '7:1|#80000=1',
    ]);
  });

  test('with FWB the order does not matter', () => {
    expect(run([dc('civac', P), dsb(), ...flush], { fwb: true })).toEqual([
      '7:0|0:translation@s2l3:5#',
      '7:1|#80000=1',
    ]);
  });
});

describe('dirty lines: the host writes cacheably, the guest reads past the caches', () => {
  const run = (...maintenance: readonly Effect[]): readonly string[] =>
    outcomesOf(
      setup({
        threads: [
          [
            thread('h', [hostStore(P, 1n), ...maintenance, hostStore(s2Cell(IPA), s2Leaf(P))]),
            host(flat),
          ],
          [thread('g', [load(IPA)]), flat],
        ],
        memory: {},
        watchedVas: [IPA],
        dataCache: 'modelled',
        pages: [{ base: P, use: 'guest', vmid: 1, name: 'page' }],
      }),
    );
  test('without maintenance the guest may read what was there before', () => {
    expect(run(dsb())).toEqual(['|0:0#80000=1', '|0:1#80000=1', '|0:translation@s2l3:5#80000=1']);
  });
  test('cleaning to the PoC first is enough', () => {
    expect(run(dc('cvac', P), dsb())).toEqual(['|0:1#80000=1', '|0:translation@s2l3:5#80000=1']);
  });
});

test('instructions: IC IALLUIS and an ISB make the new instruction sure', () => {
  const run = (...maintenance: readonly Effect[]): readonly string[] =>
    outcomesOf(
      setup({
        threads: [[thread('p', [hostStore(P, 7n), dsb(), ...maintenance, fetch(IPA)]), flat]],
        memory: { [String(s2Cell(IPA))]: s2Leaf(P, { executable: true }) },
        watchedVas: [IPA],
      }),
    );
  expect(run(isb())).toEqual(['3:0#80000=7', '3:7#80000=7']);
  expect(run(ic('iallu'), dsb(), isb())).toEqual(['5:7#80000=7']);
});

test('hardware updates of descriptors are refused in one sentence', () => {
  const context = { ...flat, stage2: { root: ROOT2, hardwareUpdate: 'af' as const } };
  const refused = setup({ threads: [[thread('g', [load(X)]), context]], memory: {} });
  expect(() => outcomesOf(refused)).toThrow(
    'Hardware updates of the Access flag and dirty state are not modelled.',
  );
});
