import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asid, ipa, va, type Asid } from '../../src/arm64/address.ts';
import type { Features } from '../../src/arm64/features.ts';
import { levelShift, type Level } from '../../src/arm64/geometry.ts';
import { GRANULES, pageShift, type Granule } from '../../src/arm64/granule.ts';
import { tlbi, TLBI_BASES, TLBI_OPS } from '../../src/arm64/tlbi.ts';
import { tlbiMatches, type TlbiContext, type TranslationInfo } from '../../src/arm64/tlbi-match.ts';
import { encodeIpaOperand, encodeVaOperand, type LevelHint } from '../../src/arm64/tlbi-operand.ts';
import { encodeRangeOperand, rangeOperands } from '../../src/arm64/tlbi-range.ts';
import { machine } from './helpers.ts';

const FEATURES = machine({ ttl: true, tlbiRange: true, tlbiOs: true, xs: true });
const VMID = 7;
const ASID = 0x11;
const VA = 0x1234_5000n;
const IPA = 0x8765_4000n;

function context(some: Partial<TlbiContext> = {}): TlbiContext {
  return { vmid: VMID, granule: '4k', features: FEATURES, ...some };
}

/** A stage-1 page of ASID 0x11 at VA. Variants are written as changes to it. */
const PAGE: TranslationInfo = {
  regime: 'el1&0',
  stages: 's1',
  leaf: true,
  level: 3,
  vmid: VMID,
  asid: ASID,
  inputBase: VA,
  inputBits: 12,
};

/** The level-2 table descriptor above PAGE. */
const TABLE: TranslationInfo = {
  ...PAGE,
  leaf: false,
  level: 2,
  inputBase: 0x1220_0000n,
  inputBits: 21,
};

const STAGE2_PAGE: TranslationInfo = { ...PAGE, stages: 's2', asid: null, inputBase: IPA };

const STAGE2_TABLE: TranslationInfo = {
  ...TABLE,
  stages: 's2',
  asid: null,
  inputBase: 0x8760_0000n,
};

/** One entry of each sort, under the name used in the scope table below. */
const ENTRIES: Readonly<Record<string, TranslationInfo>> = {
  page: PAGE,
  'page-global': { ...PAGE, asid: null },
  'page-asid2': { ...PAGE, asid: 0x22 },
  'page-elsewhere': { ...PAGE, inputBase: 0x9_0000_0000n },
  'page-vmid2': { ...PAGE, vmid: 9 },
  table: TABLE,
  'table-asid2': { ...TABLE, asid: 0x22 },
  both: { ...PAGE, stages: 's1s2' },
  'both-global': { ...PAGE, stages: 's1s2', asid: null },
  'both-table': { ...TABLE, stages: 's1s2' },
  s2: STAGE2_PAGE,
  's2-table': STAGE2_TABLE,
  's2-elsewhere': { ...STAGE2_PAGE, inputBase: 0x9_0000_0000n },
  's2-vmid2': { ...STAGE2_PAGE, vmid: 9 },
  el2: { ...PAGE, regime: 'el2', vmid: 0 },
  'el2-table': { ...TABLE, regime: 'el2', vmid: 0 },
  'el2-asid2': { ...PAGE, regime: 'el2', vmid: 0, asid: 0x22 },
  'el2-elsewhere': { ...PAGE, regime: 'el2', vmid: 0, inputBase: 0x9_0000_0000n },
};

/** The operand that names VA with ASID, or IPA, for any operation. */
function operandFor(name: string): bigint {
  const op = tlbi(name);
  if (op.range) {
    const base = op.by === 'ipa' ? IPA : VA;
    return encodeRangeOperand(
      { asid: op.by === 'va' ? ASID : 0, granule: '4k', scale: 0, num: 0, level: null, base },
      FEATURES,
    );
  }
  return op.by === 'ipa'
    ? encodeIpaOperand({ ns: false, hint: null, address: ipa(IPA) }, FEATURES)
    : encodeVaOperand({ asid: asid(ASID), hint: null, address: va(VA) }, FEATURES);
}

function removed(name: string, ctx: TlbiContext = context()): string {
  return Object.entries(ENTRIES)
    .filter(([, info]) => tlbiMatches(tlbi(name), operandFor(name), ctx, info))
    .map(([entry]) => entry)
    .join(' ');
}

/** What each operation has to remove, from the scope table of the specification (2.4). */
const SCOPE: Readonly<Record<string, string>> = {
  VMALLS12E1:
    'page page-global page-asid2 page-elsewhere table table-asid2 both both-global both-table s2 s2-table s2-elsewhere',
  VMALLE1:
    'page page-global page-asid2 page-elsewhere table table-asid2 both both-global both-table',
  IPAS2E1: 's2 s2-table',
  IPAS2LE1: 's2',
  RIPAS2E1: 's2 s2-table',
  RIPAS2LE1: 's2',
  VAE1: 'page page-global table both both-global both-table',
  VALE1: 'page page-global both both-global',
  VAAE1: 'page page-global page-asid2 table table-asid2 both both-global both-table',
  VAALE1: 'page page-global page-asid2 both both-global',
  RVAE1: 'page page-global table both both-global both-table',
  RVALE1: 'page page-global both both-global',
  RVAAE1: 'page page-global page-asid2 table table-asid2 both both-global both-table',
  RVAALE1: 'page page-global page-asid2 both both-global',
  // Table entries too: DDI 0595, TLBI ASIDE1IS, against the specification's table.
  ASIDE1: 'page page-elsewhere table both both-table',
  ALLE1:
    'page page-global page-asid2 page-elsewhere page-vmid2 table table-asid2 both both-global both-table s2 s2-table s2-elsewhere s2-vmid2',
  ALLE2: 'el2 el2-table el2-asid2 el2-elsewhere',
  // The default machine has E2H, so the EL2&0 regime has ASIDs.
  VAE2: 'el2 el2-table',
  VALE2: 'el2',
  RVAE2: 'el2 el2-table',
  RVALE2: 'el2',
};

test('scope of every operation', () => {
  expect(Object.fromEntries(TLBI_BASES.map(({ base }) => [base, removed(base)]))).toEqual(SCOPE);
});

test('shareability and nXS do not change what matches', () => {
  for (const op of TLBI_OPS) expect(removed(op.name)).toBe(SCOPE[op.base]);
});

test('another VMID in force removes entries of that VMID only', () => {
  expect(removed('VMALLS12E1', context({ vmid: 9 }))).toBe('page-vmid2 s2-vmid2');
  expect(removed('IPAS2E1', context({ vmid: 9 }))).toBe('s2-vmid2');
  expect(removed('VMALLE1', context({ vmid: 3 }))).toBe('');
  expect(removed('ALLE1', context({ vmid: 3 }))).toBe(SCOPE['ALLE1']);
});

test('with {E2H,TGE} = {1,1} the stage-1 forms of EL1 name the host, the stage-2 forms a guest', () => {
  const host = context({ hostRegime: true });
  expect(removed('VMALLE1', host)).toBe('el2 el2-table el2-asid2 el2-elsewhere');
  expect(removed('VAE1', host)).toBe('el2 el2-table');
  expect(removed('VAALE1', host)).toBe('el2 el2-asid2');
  expect(removed('ASIDE1', host)).toBe('el2 el2-table el2-elsewhere');
  for (const name of ['IPAS2E1', 'VMALLS12E1', 'ALLE1', 'ALLE2', 'VAE2']) {
    expect(removed(name, host)).toBe(SCOPE[name]);
  }
});

test('without E2H the EL2 regime has no ASIDs: the operand field is ignored', () => {
  const features = { ...FEATURES, e2h: false, vhe: false };
  expect(removed('VAE2', context({ features }))).toBe('el2 el2-table el2-asid2');
});

test('a stage-1 table entry without an ASID of its own matches no ASID: it is never global', () => {
  const odd = { ...TABLE, asid: null };
  expect(tlbiMatches(tlbi('VAE1'), operandFor('VAE1'), context(), odd)).toBe(false);
  expect(tlbiMatches(tlbi('VAAE1'), operandFor('VAAE1'), context(), odd)).toBe(true);
});

/** VAAE1 for an address and hint, against an entry. */
function byVa(
  address: bigint,
  info: TranslationInfo,
  hint: LevelHint | null = null,
  ctx = context(),
): boolean {
  const operand = encodeVaOperand({ asid: 0, hint, address: va(address) }, ctx.features);
  return tlbiMatches(tlbi('VAAE1'), operand, ctx, info);
}

test('any address inside a block removes it, and only those', () => {
  const block: TranslationInfo = { ...PAGE, level: 2, inputBase: 0x20_0000n, inputBits: 21 };
  expect(byVa(0x20_0000n, block)).toBe(true);
  expect(byVa(0x3f_f000n, block)).toBe(true);
  expect(byVa(0x1f_f000n, block)).toBe(false);
  expect(byVa(0x40_0000n, block)).toBe(false);
});

test('high and low half are told apart, the tag byte is not looked at', () => {
  const high = { ...PAGE, inputBase: 0xffff_8000_0000_1000n };
  expect(byVa(0xffff_8000_0000_1000n, high)).toBe(true);
  expect(byVa(0xabff_8000_0000_1000n, high)).toBe(true);
  expect(byVa(0x0000_8000_0000_1000n, high)).toBe(false);
});

test('the page of the granule in use counts, not the 4K unit of the operand', () => {
  const page64k = { ...PAGE, inputBase: 0x1_0000n, inputBits: 16 };
  expect(byVa(0x1_f000n, page64k, null, context({ granule: '64k' }))).toBe(true);
  expect(byVa(0x2_0000n, page64k, null, context({ granule: '64k' }))).toBe(false);
});

/** A leaf of this level that holds VA. */
function leafAt(level: Level): TranslationInfo {
  const bits = levelShift('4k', level);
  return { ...PAGE, level, inputBits: bits, inputBase: (VA >> BigInt(bits)) << BigInt(bits) };
}

test('a level hint: the right one removes the leaf, a wrong level or granule removes nothing', () => {
  for (const level of [1, 2, 3] as const) {
    for (const hinted of [1, 2, 3] as const) {
      const hint: LevelHint = { granule: '4k', level: hinted };
      expect(byVa(VA, leafAt(level), hint)).toBe(level === hinted);
      expect(byVa(VA, leafAt(level), { granule: '64k', level: hinted })).toBe(false);
    }
    expect(byVa(VA, leafAt(level))).toBe(true);
  }
});

test('a level hint on a single address leaves tables; without one they go', () => {
  for (const level of [1, 2, 3] as const) {
    expect(byVa(VA, TABLE, { granule: '4k', level })).toBe(false);
  }
  expect(byVa(VA, TABLE)).toBe(true);
});

test('a hint that hardware must read as "any level" removes every level', () => {
  const noTtl = context({ features: { ...FEATURES, ttl: false } });
  // Software that writes TTL although the field is RES0: level 1 with 4K.
  const operand = (0b0101n << 44n) | (VA >> 12n);
  expect(tlbiMatches(tlbi('VAAE1'), operand, noTtl, PAGE)).toBe(true);
  expect(tlbiMatches(tlbi('VAAE1'), operand, context(), PAGE)).toBe(false);
});

/** RVAAE1 of two pages from VA's even page, with a hint, against an entry. */
function byRange(info: TranslationInfo, level: Level | null, granule: Granule = '4k'): boolean {
  const base = (VA >> 30n) << 30n;
  const operand = encodeRangeOperand(
    { asid: 0, granule, scale: 3, num: 31, level, base },
    FEATURES,
  );
  return tlbiMatches(tlbi('RVAAE1'), operand, context(), info);
}

test('a hint on a range removes leaves of that level and tables above it', () => {
  const table = (level: Level): TranslationInfo => ({ ...leafAt(level), leaf: false });
  const matrix = ([null, 1, 2, 3] as const).map((hint) =>
    [
      ...([1, 2, 3] as const).map((level) => byRange(leafAt(level), hint)),
      ...([0, 1, 2] as const).map((level) => byRange(table(level), hint)),
    ]
      .map((hit) => (hit ? 'y' : '-'))
      .join(''),
  );
  // Leaves of level 1, 2, 3, then tables of level 0, 1, 2.
  expect(matrix).toEqual(['yyyyyy', 'y--y--', '-y-yy-', '--yyyy']);
});

test('a range with another granule than the one in use, or the reserved one, removes nothing', () => {
  expect(byRange(PAGE, null, '16k')).toBe(false);
  expect(byRange(PAGE, null, '64k')).toBe(false);
  expect(tlbiMatches(tlbi('RVAAE1'), VA >> 12n, context(), PAGE)).toBe(false);
});

test('a range whose base is misaligned for its hint removes nothing for sure', () => {
  const at = (base: bigint): boolean => {
    const fields = { asid: 0, granule: '4k', scale: 1, num: 31, level: 2, base } as const;
    const block = { ...PAGE, level: 2, inputBase: 0x20_0000n, inputBits: 21 } as const;
    return tlbiMatches(tlbi('RVAAE1'), encodeRangeOperand(fields, FEATURES), context(), block);
  };
  expect(at(0x20_0000n)).toBe(true);
  expect(at(0x20_1000n)).toBe(false);
});

test('a range ends before its end', () => {
  const range = (page: bigint): boolean => {
    const fields = {
      asid: 0,
      granule: '4k',
      scale: 0,
      num: 1,
      level: null,
      base: 0x1_0000n,
    } as const;
    const info = { ...PAGE, inputBase: page };
    return tlbiMatches(tlbi('RVAALE1'), encodeRangeOperand(fields, FEATURES), context(), info);
  };
  expect([0xf000n, 0x1_0000n, 0x1_3000n, 0x1_4000n].map(range)).toEqual([false, true, true, false]);
});

test('reading table-drop-by-any-ipa: on, any address below the table; off, only its first', () => {
  const drop = (features: Features, address: bigint, name = 'IPAS2E1'): boolean => {
    const operand = encodeIpaOperand({ ns: false, hint: null, address: ipa(address) }, features);
    return tlbiMatches(tlbi(name), operand, context({ features }), STAGE2_TABLE);
  };
  const strict = { ...FEATURES, readingTableDropByAnyIpa: false };
  expect(drop(FEATURES, IPA)).toBe(true);
  expect(drop(FEATURES, 0x8760_0000n)).toBe(true);
  expect(drop(FEATURES, 0x8780_0000n)).toBe(false);
  expect(drop(strict, IPA)).toBe(false);
  expect(drop(strict, 0x8760_0000n)).toBe(true);
  expect(drop(strict, 0x875f_f000n)).toBe(false);
  expect(drop(strict, 0x8760_1000n)).toBe(false);
  // The leaf-only form leaves tables under either reading.
  expect(drop(FEATURES, 0x8760_0000n, 'IPAS2LE1')).toBe(false);
  // Leaves are not affected by the reading.
  const block = { ...STAGE2_TABLE, leaf: true };
  const operand = encodeIpaOperand({ ns: false, hint: null, address: ipa(IPA) }, strict);
  expect(tlbiMatches(tlbi('IPAS2E1'), operand, context({ features: strict }), block)).toBe(true);
});

test('a flush split into ranges and single operations removes a leaf exactly when it overlaps', () => {
  const leaves = fc.record({
    page: fc.nat(4000),
    level: fc.constantFrom<2 | 3>(2, 3),
    wide: fc.boolean(),
    granule: fc.constantFrom(...GRANULES),
  });
  fc.assert(
    fc.property(
      leaves,
      fc.nat(3000),
      fc.nat(3000),
      ({ page, level, wide, granule }, first, count) => {
        const features = { ...FEATURES, lpa2: wide };
        const ctx = context({ granule, features });
        const unit = BigInt(pageShift(granule));
        const bits = levelShift(granule, level);
        const inputBase = ((BigInt(page) << unit) >> BigInt(bits)) << BigInt(bits);
        const info = { ...STAGE2_PAGE, level, inputBase, inputBits: bits };
        const hit = rangeOperands(BigInt(first) << unit, count, granule, features).some((step) => {
          if (step.kind === 'single') {
            const address = ipa(step.base);
            const operand = encodeIpaOperand({ ns: false, hint: null, address }, features);
            return tlbiMatches(tlbi('IPAS2E1IS'), operand, ctx, info);
          }
          const operand = encodeRangeOperand(
            {
              asid: 0 as Asid,
              granule,
              scale: step.scale,
              num: step.num,
              level: null,
              base: step.base,
            },
            features,
          );
          return tlbiMatches(tlbi('RIPAS2E1IS'), operand, ctx, info);
        });
        // Independently: some page of the flush lies in the leaf, counted in pages.
        const from = Number(inputBase >> unit);
        const to = from + 2 ** (bits - pageShift(granule));
        let overlaps = false;
        for (let p = first; p < first + count; p += 1) overlaps ||= p >= from && p < to;
        expect(hit).toBe(overlaps);
      },
    ),
    { numRuns: 1000 },
  );
});
