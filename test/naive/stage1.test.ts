import { describe, expect, test } from 'vitest';
import type { Features } from '../../src/arm64/features.ts';
import type { Context, Effect } from '../../src/program/effect.ts';
import {
  dmb,
  dsb,
  guestContext,
  host,
  hostStore,
  isb,
  load,
  page,
  s1Leaf,
  s1Table,
  setContext,
  setup,
  store,
  thread,
  tlbi,
} from './layout.ts';
import { outcomesOf } from './outcomes-of.ts';

/** Stage 1 only: a root at level 3 with X -> P and Y -> Q. */
const X = 0x1000n;
const Y = 0x2000n;
const P = 0x80000n;
const Q = 0x81000n;
const ROOT = 0x10000n;
const cell = (va: bigint): bigint => ROOT + (va >> 12n) * 8n;
const guest = guestContext(ROOT, null);

interface Run {
  readonly host: readonly Effect[];
  readonly guest: readonly Effect[];
  readonly memory?: Readonly<Record<string, bigint>>;
  readonly features?: Partial<Features>;
  readonly hostContext?: Context;
}

function run(parts: Run): readonly string[] {
  return outcomesOf(
    setup({
      threads: [
        [thread('host', parts.host), parts.hostContext ?? host(guest)],
        [thread('guest', parts.guest), guest],
      ],
      memory: parts.memory ?? { [String(cell(X))]: s1Leaf(P) },
      watchedVas: [X, Y],
      features: parts.features ?? {},
    }),
  );
}

const FAULT = '|0:translation@s1l3:1#80000=1';
const OLD = '|0:0#80000=1';
const REUSED = '|0:1#80000=1';

describe('break: unmap, invalidate, reuse the page (write 1), while the guest reads', () => {
  const unmap = (...maintenance: readonly Effect[]) => [
    hostStore(cell(X), 0n),
    ...maintenance,
    hostStore(P, 1n),
  ];
  const reader = { guest: [load(X)] };

  test('DSB; TLBI; DSB: the guest reads the old page before, or faults', () => {
    const full = unmap(dsb(), tlbi('VMALLE1IS'), dsb());
    expect(run({ ...reader, host: full })).toEqual([OLD, FAULT]);
  });

  test.each([
    ['no TLBI', unmap(dsb())],
    ['no DSB after the TLBI', unmap(dsb(), tlbi('VMALLE1IS'))],
    ['no DSB before the TLBI', unmap(tlbi('VMALLE1IS'), dsb())],
    ['a local TLBI', unmap(dsb(), tlbi('VMALLE1'), dsb())],
    ['a DSB that does not reach the domain', unmap(dsb(), tlbi('VMALLE1IS'), dsb('nsh'))],
    ['a DSB ST', unmap(dsb(), tlbi('VMALLE1IS'), dsb('ish', 'st'))],
    ['another ASID', unmap(dsb(), tlbi('VAE1IS', page(X, 2)), dsb())],
    ['another page', unmap(dsb(), tlbi('VAE1IS', page(Y, 1)), dsb())],
  ])('%s: the guest may read the reused page', (_, steps) => {
    expect(run({ ...reader, host: steps })).toEqual([OLD, REUSED, FAULT]);
  });

  test('the right ASID, and any ASID for a global entry', () => {
    const right = unmap(dsb(), tlbi('VAE1IS', page(X, 1)), dsb());
    const other = unmap(dsb(), tlbi('VAE1IS', page(X, 2)), dsb());
    const memory = { [String(cell(X))]: s1Leaf(P, { ng: false }) };
    expect(run({ ...reader, host: right })).toEqual([OLD, FAULT]);
    expect(run({ ...reader, host: other, memory })).toEqual([OLD, FAULT]);
  });

  test('the VMID is that of the issuer, once it is synchronised', () => {
    const maintenance = [tlbi('VMALLE1IS'), dsb()];
    const hostContext = { ...host(guest), vmid: 2 };
    const wrong = unmap(dsb(), ...maintenance);
    const pending = unmap(dsb(), setContext({ vmid: 1 }), ...maintenance);
    const right = unmap(dsb(), setContext({ vmid: 1 }), isb(), ...maintenance);
    expect(run({ ...reader, hostContext, host: wrong })).toEqual([OLD, REUSED, FAULT]);
    expect(run({ ...reader, hostContext, host: pending })).toEqual([OLD, REUSED, FAULT]);
    expect(run({ ...reader, hostContext, host: right })).toEqual([OLD, FAULT]);
  });

  test('the erratum: completion does not wait for the access', () => {
    const full = unmap(dsb(), tlbi('VMALLE1IS'), dsb());
    const features = { erratumRepeatTlbi: true };
    expect(run({ ...reader, host: full, features })).toEqual([OLD, REUSED, FAULT]);
  });

  test('a store of the guest is in the page before the host reuses it', () => {
    const full = unmap(dsb(), tlbi('VMALLE1IS'), dsb());
    expect(run({ host: full, guest: [store(X, 2n)] })).toEqual(['|#80000=1', FAULT]);
  });

  test('same offset: the later load has used the old page, so T of the earlier is over too', () => {
    // X is broken, invalidated and mapped to Q = 2. The earlier load must not see Q when the later one
    // has seen P: its T has to come before the DSB ends (third clause of TLBI-ob). A fault of the later
    // load in the time between break and make is no use of old information and orders nothing.
    const remap = [
      hostStore(cell(X), 0n),
      dsb(),
      tlbi('VMALLE1IS'),
      dsb(),
      hostStore(cell(X), s1Leaf(Q)),
    ];
    const memory = { [String(cell(X))]: s1Leaf(P), [String(Q)]: 2n };
    expect(run({ host: remap, guest: [load(X), load(X)], memory })).toEqual([
      '|0:0 1:0#',
      '|0:0 1:2#',
      '|0:0 1:translation@s1l3:1#',
      '|0:2 1:2#',
      '|0:2 1:translation@s1l3:1#',
      '|0:translation@s1l3:1#',
    ]);
  });
});

describe('make: map X (X -> P), then raise the flag in Q, which the guest reads first', () => {
  const memory = { [String(cell(Y))]: s1Leaf(Q) };
  const make = [hostStore(cell(X), s1Leaf(P)), dsb(), hostStore(Q, 1n)];
  const forbidden = (at: number): string => `|0:1 ${at}:translation@s1l3:1#81000=1`;

  test('needs no TLBI: flag seen, DSB, ISB, and the mapping is there', () => {
    const reader = [load(Y), dsb(), isb(), load(X)];
    expect(run({ host: make, guest: reader, memory })).toEqual([
      '|0:0 3:0#81000=1',
      '|0:0 3:translation@s1l3:1#81000=1',
      '|0:1 3:0#81000=1',
    ]);
  });

  test('without ETS2 neither DMB nor DSB keeps the later T in place', () => {
    for (const barrier of [dmb(), dsb()]) {
      expect(run({ host: make, guest: [load(Y), barrier, load(X)], memory })).toContain(
        forbidden(2),
      );
    }
  });

  test('with ETS2 a faulting T waits for earlier accesses, even without a barrier', () => {
    const features = { ets: 'ets2' } as const;
    for (const between of [[], [dmb()], [dsb()]]) {
      const reader = [load(Y), ...between, load(X)];
      const found = run({ host: make, guest: reader, memory, features });
      expect(found).not.toContain(forbidden(1 + between.length));
    }
  });

  test('on the own PE: DSB and ISB, with ETS2 the DSB alone', () => {
    const own = (between: readonly Effect[], features: Partial<Features> = {}) =>
      outcomesOf(
        setup({
          threads: [[thread('p', [hostStore(cell(X), s1Leaf(P)), ...between, load(X)]), guest]],
          memory: {},
          watchedVas: [X],
          features,
        }),
      );
    expect(own([])).toEqual(['1:0#', '1:translation@s1l3:1#']);
    expect(own([dsb()])).toEqual(['2:0#', '2:translation@s1l3:1#']);
    expect(own([dsb(), isb()])).toEqual(['3:0#']);
    expect(own([dsb()], { ets: 'ets2' })).toEqual(['2:0#']);
    expect(own([], { ets: 'ets2' })).toEqual(['1:0#']);
  });
});

test('CoTT: new translation, then the old one, even across DSB and ISB', () => {
  const memory = { [String(cell(X))]: s1Leaf(P), [String(Q)]: 1n };
  const remap = [hostStore(cell(X), s1Leaf(Q))];
  const found = run({ host: remap, guest: [load(X), dsb(), isb(), load(X)], memory });
  expect(found).toEqual(['|0:0 3:0#', '|0:0 3:1#', '|0:1 3:0#', '|0:1 3:1#']);
});

test('a permission fault may come from a stale entry, a translation fault may not', () => {
  const flag = { [String(cell(Y))]: s1Leaf(Q) };
  const upgrade = (old: bigint) => ({ ...flag, [String(cell(X))]: old });
  const host = [hostStore(cell(X), s1Leaf(P)), dsb(), hostStore(Q, 1n)];
  const writer = [load(Y), dsb(), isb(), store(X, 5n)];
  const readOnly = run({ host, guest: writer, memory: upgrade(s1Leaf(P, { readOnly: true })) });
  expect(readOnly).toContain('|0:1 3:permission@s1l3:1#81000=1');
  const young = run({ host, guest: writer, memory: upgrade(s1Leaf(P, { af: false })) });
  expect(young).toContain('|0:0 3:access-flag@s1l3:1#81000=1');
  expect(young).not.toContain('|0:1 3:access-flag@s1l3:1#81000=1');
});

describe('walk cache: the table of X is unlinked, invalidated, and its cell reused', () => {
  const TABLE = 0x11000n;
  const leaf = TABLE + (X >> 12n) * 8n;
  const free = (op: string) =>
    outcomesOf(
      setup({
        stage1Bits: 30,
        threads: [
          [
            thread('h', [
              hostStore(ROOT, 0n),
              dsb(),
              tlbi(op, page(X, 1)),
              dsb(),
              hostStore(leaf, s1Leaf(Q)),
            ]),
            host(guest),
          ],
          [thread('g', [load(X)]), guest],
        ],
        memory: {
          [String(ROOT)]: s1Table(TABLE),
          [String(leaf)]: s1Leaf(P),
          [String(P)]: 5n,
          [String(Q)]: 7n,
        },
        watchedVas: [X],
      }),
    );

  test('an any-level TLBI drops the table entry', () => {
    expect(free('VAE1IS')).toEqual(['|0:5#', '|0:translation@s1l2:1#']);
  });

  test('a leaf-only TLBI leaves it, and the walk goes through the freed table', () => {
    expect(free('VALE1IS')).toEqual(['|0:5#', '|0:7#', '|0:translation@s1l2:1#']);
  });
});
