import { describe, expect, it, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../../src/arm64/features.ts';
import { HOLDS, type Candidate } from '../../../src/candidates/candidate.ts';
import {
  atomic,
  load,
  loadAcquire,
  store,
  type HostCode,
} from '../../../src/candidates/host-code.ts';
import { perPageFlush } from '../../../src/candidates/unmap-stage2-range/per-page-flush.ts';
import { buildFullWorld, type FullWorld } from '../../../src/explore/summary/full-world.ts';
import { project } from '../../../src/explore/summary/project.ts';
import { shapeStore, type Content } from '../../../src/explore/summary/shape.ts';
import { traceOf, type Beyond, type Trace } from '../../../src/explore/summary/trace.ts';
import { verifyFullSize } from '../../../src/explore/summary/verify-full-size.ts';
import type { Effect, EffectBody } from '../../../src/program/effect.ts';
import { constant } from '../../../src/program/expr.ts';
import { within } from '../../../src/program/source-location.ts';
import { noAccessAfterReturn } from '../../../src/rules/no-access-after-return.ts';
import { isInputError } from '../../../src/scenario/input-error.ts';

const at = within('test', 'host')(1, 'an effect');
const bare = (body: EffectBody): Effect => ({ ...body, location: at });

function worldOf(readingTableDropByAnyIpa = true): FullWorld {
  const features = { ...DEFAULT_FEATURES, readingTableDropByAnyIpa, tlbiRange: true, ttl: true };
  const world = buildFullWorld({ features, pages: 2, mapping: '4k' }, 'unmap');
  if (isInputError(world)) throw new Error(world.message);
  return world;
}

const WORLD = worldOf();
const PAGE = WORLD.addressOf(WORLD.range.from);
const IPA = WORLD.ipaOf(WORLD.range.from);
const ENTRY = WORLD.walkOf(IPA).at(-1)?.entry ?? 0n;
const TABLE = WORLD.walkOf(IPA).at(-1)?.table ?? 0n;

/** v5.8, and then this as well. */
function after(code: () => HostCode): Candidate {
  return {
    ...perPageFlush,
    id: 'test/after',
    expected: () => HOLDS,
    *host(kvm, request) {
      yield* perPageFlush.host(kvm, request);
      yield* code();
    },
  };
}

function traced(effects: readonly Effect[], world = WORLD): Trace | Beyond {
  const candidate: Candidate = {
    ...perPageFlush,
    *host() {
      for (const effect of effects) yield effect;
    },
  };
  const trace = traceOf(candidate, world, () => 0);
  if (trace.kind === 'given-up') throw new Error('the trace was given up');
  return trace;
}

/** What keeps the summary from taking an effect. */
function reason(effect: Effect, ...before: readonly Effect[]): string {
  const trace = traced([...before, effect]);
  return trace.kind === 'trace' ? 'taken' : trace.reason;
}

describe('the summary does not take', () => {
  const freed = bare({ kind: 'free-page', page: TABLE });
  const locked = bare({ kind: 'lock', lock: 0 });

  it.each<readonly [what: string, why: RegExp, reason: string]>([
    ['code that goes on with contents of a page', /contents of a page/, reason(load(PAGE, at))],
    ['an acquire of such contents', /contents of a page/, reason(loadAcquire(PAGE, at))],
    ['an atomic on a page', /guest atomically/, reason(atomic(PAGE, (old) => old, true, at))],
    ['a word inside of a page', /belongs to no page/, reason(store(PAGE + 8n, 1n, at))],
    ['a word of nobody', /belongs to no page/, reason(store(0x123000n, 1n, at))],
    [
      'half a word',
      /part of a word/,
      reason({ ...(load(PAGE, at, false) as Effect & { kind: 'load' }), bytes: 4 }),
    ],
    [
      'a virtual address',
      /virtual address/,
      reason(
        bare({ kind: 'dc', op: 'civac', at: { kind: 'physical', address: constant(1n) } }),
        bare({
          ...(store(PAGE, 0n, at) as Effect & { kind: 'store' }),
          at: { kind: 'virtual', address: constant(PAGE), unprivileged: false },
        }),
      ),
    ],
    [
      'a TLBI by VA',
      /not projected/,
      reason(bare({ kind: 'tlbi', op: 'VAE1IS', operand: constant(0n), intendedVmid: null })),
    ],
    [
      'a TLBI by ASID',
      /not projected/,
      reason(bare({ kind: 'tlbi', op: 'ASIDE1IS', operand: constant(0n), intendedVmid: null })),
    ],
    ['the free of no table', /no table/, reason(bare({ kind: 'free-page', page: PAGE }))],
    [
      'an announcement about nobody',
      /unknown page/,
      reason(bare({ kind: 'announce', fact: { kind: 'page-reused', page: 0x123000n } })),
    ],
    ['an allocation', /allocates/, reason(bare({ kind: 'alloc-page', use: 'table' }))],
    [
      'a fetch',
      /not projected/,
      reason(
        bare({ kind: 'fetch', at: { kind: 'physical', address: constant(PAGE) }, wanted: false }),
      ),
    ],
    ['a read of a freed table', /has freed/, reason(load(ENTRY, at), freed)],
    ['a store to a freed table', /has freed/, reason(store(ENTRY, 0n, at), freed)],
    [
      'an atomic on a freed table',
      /has freed/,
      reason(
        atomic(ENTRY, () => 0n, true, at),
        freed,
      ),
    ],
    ['a lock taken twice', /that it holds/, reason(locked, locked, bare({ kind: 'isb' }))],
  ])('%s', (_what, why, said) => {
    expect(said).toMatch(why);
  });

  it.each<readonly [what: string, reason: string]>([
    ['contents that nothing depends on', reason(load(PAGE, at, false))],
    ['a store to a page, and to an entry', reason(store(PAGE, 1n, at), store(ENTRY, 0n, at))],
    ['a read of a table that another was freed beside', reason(load(ENTRY, at))],
    ['a lock taken again', reason(locked, locked, bare({ kind: 'unlock', lock: 0 }))],
  ])('but takes %s', (_what, said) => {
    expect(said).toBe('taken');
  });
});

test('nor a change of an entry that maps none of the pages', () => {
  const said = (address: bigint): string => {
    const trace = traced([store(address, PAGE | 3n, at)]);
    return trace.kind === 'trace' ? project(WORLD, trace).kind : trace.reason;
  };
  const { from, to } = WORLD.range;
  const unmapped = ENTRY + BigInt(to - from + 4) * 8n;
  expect([said(ENTRY), said(unmapped)]).toEqual(['projection', 'beyond']);
});

test('at full size nothing is verified where the host goes on with what it reads from a page', () => {
  const verdict = (wanted: boolean): string => {
    const result = verifyFullSize({
      candidate: after(function* () {
        yield load(PAGE, at, wanted);
      }),
      rules: [noAccessAfterReturn],
      features: { ...DEFAULT_FEATURES, fwb: true },
      pages: 2,
      vcpus: 1,
      mapping: '4k',
      statesPerSearch: 100_000,
      expired: () => false,
    });
    if (isInputError(result)) throw new Error(result.message);
    return result.verification.verdict;
  };
  expect([verdict(true), verdict(false)]).toEqual(['inconclusive', 'verified']);
});

describe('the trace', () => {
  const pagesOf = (trace: Trace | Beyond): readonly number[] =>
    trace.kind === 'trace' ? [...trace.page.subarray(0, trace.length)] : [];
  const lock = bare({ kind: 'lock', lock: 0 });
  const unlock = bare({ kind: 'unlock', lock: 0 });

  it('leaves out a lock that is given away and taken again, and nothing else', () => {
    const isb = bare({ kind: 'isb' });
    expect(pagesOf(traced([lock, unlock, lock, unlock]))).toHaveLength(2);
    expect(pagesOf(traced([lock, unlock, isb, lock, unlock]))).toHaveLength(5);
  });

  it('announces the return to every page', () => {
    const { from } = WORLD.range;
    const pages = [IPA, WORLD.ipaOf(from + 1)];
    const fact = { kind: 'operation-returns', name: 'unmap', vmid: 1, pages } as const;
    expect(pagesOf(traced([bare({ kind: 'announce', fact })]))).toEqual([from, from + 1]);
  });

  it('knows the spare page from the own one and from all others', () => {
    const outputs = [WORLD.spare, PAGE, PAGE + 0x1000n].map((page) => {
      const trace = traced([store(ENTRY, page | 3n, at)]);
      const content = trace.kind === 'trace' ? trace.shapes[0]?.content : undefined;
      return content?.kind === 'descriptor' ? content.value : null;
    });
    expect(outputs.map((value) => value?.output)).toEqual(['spare', 'own', 'none']);
    expect(outputs.map((value) => value?.bits)).toEqual([3n, 3n, (PAGE + 0x1000n) | 3n]);
  });

  it('keeps the level hint, and the first page of which level the address is where that matters', () => {
    const contentOf = (operand: bigint, world = WORLD): Content | undefined => {
      const trace = traced(
        [bare({ kind: 'tlbi', op: 'IPAS2E1IS', operand: constant(operand), intendedVmid: 1 })],
        world,
      );
      return trace.kind === 'trace' ? trace.shapes[0]?.content : undefined;
    };
    const hint = 0b0111n << 44n;
    expect(contentOf(hint | (IPA >> 12n))).toEqual({ kind: 'ipa', hintBits: hint, baseOf: 3 });
    const strict = worldOf(false);
    const levels = [0x40000000n, 0x40200000n, 0x40201000n].map((ipa) =>
      contentOf(ipa >> 12n, strict),
    );
    expect(levels.map((each) => (each?.kind === 'ipa' ? each.baseOf : null))).toEqual([1, 2, 3]);
  });
});

describe('shapes', () => {
  const nothing: Content = { kind: 'nothing' };
  const dsb = (change: object): Effect =>
    bare({ kind: 'dsb', limit: 'full', domain: 'ish', nXS: false, ...change });
  const plain = store(PAGE, 1n, at) as Effect & { kind: 'store' };
  const read = load(PAGE, at, false) as Effect & { kind: 'load' };
  const swap = atomic(PAGE, () => 0n, true, at) as Effect & { kind: 'rmw' };
  const tlbi = (op: string, intendedVmid: number | null): Effect =>
    bare({ kind: 'tlbi', op, operand: constant(0n), intendedVmid });
  const returns = (change: object): Effect =>
    bare({
      kind: 'announce',
      fact: { kind: 'operation-returns', name: 'x', vmid: 1, pages: [IPA], ...change },
    });
  const dc = (op: 'civac' | 'cvac'): Effect =>
    bare({ kind: 'dc', op, at: { kind: 'physical', address: constant(PAGE) } });

  /** Each differs from the first in what the machine looks at. */
  const DIFFERENT: readonly (readonly Effect[])[] = [
    [dsb({}), dsb({ limit: 'st' }), dsb({ domain: 'nsh' }), dsb({ nXS: true })],
    [bare({ kind: 'dmb', limit: 'full' }), bare({ kind: 'dmb', limit: 'ld' })],
    [tlbi('VMALLE1IS', 1), tlbi('VMALLE1', 1), tlbi('VMALLS12E1IS', 1), tlbi('VMALLE1IS', 2)],
    [dc('civac'), dc('cvac')],
    [plain, { ...plain, order: 'release' }, { ...plain, exclusive: true }],
    [read, { ...read, order: 'acquire' }, { ...read, wanted: true }],
    [swap, { ...swap, acquire: false }, { ...swap, release: false }, { ...swap, noReturn: true }],
    [
      returns({}),
      returns({ vmid: 2 }),
      returns({ removes: 'write-permission' }),
      returns({ removes: 'write-permission', alone: true }),
    ],
    [
      bare({ kind: 'exception-return', toEl: 1 }),
      bare({ kind: 'exception-return', toEl: 0 }),
      bare({ kind: 'exception-return', toEl: 1, toHost: true }),
    ],
    [
      bare({ kind: 'context', change: { vmid: 1 } }),
      bare({ kind: 'context', change: { vmid: 2 } }),
      bare({ kind: 'context', change: { vmid: 1, stage2: null } }),
    ],
  ];

  it.each(DIFFERENT.map((effects) => [effects[0]?.kind, effects] as const))(
    'tell effects of kind %s apart, at one location and at many',
    (_kind, effects) => {
      for (const move of [
        (effect: Effect) => effect,
        (effect: Effect) => ({ ...effect, location: { ...at } }),
      ]) {
        const { shapeOf } = shapeStore();
        const ids = effects.map((effect) => shapeOf(move(effect), 'all', nothing));
        expect(new Set(ids).size).toBe(effects.length);
        expect(effects.map((effect) => shapeOf(move(effect), 'all', nothing))).toEqual(ids);
      }
    },
  );

  it('tell contents and concerns apart', () => {
    const { shapeOf } = shapeStore();
    const value = { bits: 3n, output: 'own' } as const;
    const contents: readonly Content[] = [
      { kind: 'descriptor', value },
      { kind: 'descriptor', value: null },
      { kind: 'descriptor', value: { ...value, bits: 7n } },
      { kind: 'descriptor', value: { ...value, output: 'spare' } },
      { kind: 'line', stored: 1n },
      { kind: 'line', stored: 2n },
      { kind: 'spare-line', stored: 1n },
      { kind: 'ipa', hintBits: 0n, baseOf: 3 },
      { kind: 'ipa', hintBits: 1n, baseOf: 3 },
      { kind: 'ipa', hintBits: 0n, baseOf: 2 },
    ];
    const ids = contents.map((content) => shapeOf(plain, 'entry', content));
    expect(new Set(ids).size).toBe(contents.length);
  });
});
