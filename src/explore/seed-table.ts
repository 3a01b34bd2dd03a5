import { loopStep, loopThreshold, rangeFlush, vaddrOperand } from '../arm64/tlbi-loop.ts';
import { DEFAULT_FEATURES, type Features } from '../arm64/features.ts';
import { pageBytes, type Granule } from '../arm64/granule.ts';
import type { Candidate } from '../candidates/candidate.ts';
import { findCandidate } from '../candidates/catalogue.ts';
import { mapEffects } from '../candidates/map-effects.ts';
import { runAlone } from '../candidates/run-alone.ts';
import { openVm, unmapRequest } from '../candidates/world/open-vm.ts';
import { buildWorld } from '../candidates/world/world.ts';
import { ALL_RULES } from '../rules/all-rules.ts';
import { isInputError } from '../scenario/input-error.ts';
import { defaultScenario, type Scenario } from '../scenario/scenario.ts';
import { checkScenario } from './check.ts';

/** One question of the verdict table of the seed (seed.md 1.5), put to the machine. */
export interface SeedRow {
  readonly no: number;
  readonly question: string;
  /** The verdict the table states. */
  readonly expected: string;
  /** What was asked of the verifier, and what came out; one line each. */
  readonly checks: () => readonly SeedCheck[];
}

/** One check of a row. */
export interface SeedCheck {
  readonly what: string;
  readonly expected: string;
  readonly obtained: string;
}

const SEED = 'unmap-stage2-range/deferred-range-flush';
const BASELINE = 'unmap-stage2-range/per-page-flush';
const GRANULES: readonly Granule[] = ['4k', '16k', '64k'];
const LIMITS = { states: 1_000_000 };

/** One page of a table that stays: the smallest place where a leaf flush matters. */
const LEAF: Partial<Scenario> = { pages: 1, layout: 'adjacent', keepTables: true };

function candidate(id: string): Candidate {
  const found = findCandidate(id);
  if (found === null) throw new RangeError(`no candidate ${id}`);
  return found;
}

/** A host at EL1 under which instruction caches find lines by VMID. */
const VPIPT: Partial<Features> = { fwb: true, icache: 'vpipt', vhe: false, e2h: false };

/** The page is taken away, gets new contents, and is mapped again when the guest executes it. */
const REFILLED: Partial<Scenario> = {
  ...LEAF,
  faults: 'enter-host',
  afterwards: 'refill',
  guest: { kind: 'general', kinds: ['execute'] },
};

function withoutIcacheStep(original: Candidate): Candidate {
  return {
    ...original,
    host: (kvm, request) =>
      mapEffects(original.host(kvm, request), (effect) => (effect.kind === 'ic' ? [] : [effect])),
  };
}

/** `verified`, or the families of the rules that are broken. */
function ask(id: string, features: Partial<Features>, part: Partial<Scenario>): string {
  return askCandidate(candidate(id), features, part);
}

function askCandidate(of: Candidate, features: Partial<Features>, part: Partial<Scenario>): string {
  const machine: Features = { ...DEFAULT_FEATURES, ...features };
  const scenario = { ...defaultScenario(of.id, machine), ...part };
  const checked = checkScenario(scenario, of, ALL_RULES, LIMITS);
  if (isInputError(checked)) return checked.message;
  const refuted = checked.outcomes.filter(({ verdict }) => verdict === 'refuted');
  if (refuted.length > 0) return `refuted ${refuted.map(({ rule }) => rule.family).join(' ')}`;
  return checked.outcomes.every(({ verdict }) => verdict === 'verified')
    ? 'verified'
    : 'inconclusive';
}

function search(
  what: string,
  expected: string,
  id: string,
  features: Partial<Features>,
  part: Partial<Scenario>,
): SeedCheck {
  return { what, expected, obtained: ask(id, features, part) };
}

function sum(what: string, expected: unknown, obtained: unknown): SeedCheck {
  return { what, expected: String(expected), obtained: String(obtained) };
}

const FWB: Partial<Features> = { fwb: true };

/** All rows, in the order of the table. */
export const SEED_TABLE: readonly SeedRow[] = [
  {
    no: 1,
    question: 'no FWB, guest has a non-cacheable view; any granule, VHE or not',
    expected: 'UNSAFE (P5)',
    checks: () =>
      GRANULES.flatMap((granule) =>
        [true, false].flatMap((vhe) =>
          (['mmu-off', 'non-cacheable'] as const).map((view) =>
            search(
              `granule=${granule} vhe=${vhe ? 'on' : 'off'}, ${view}`,
              'refuted P5',
              SEED,
              { granule, vhe, e2h: vhe },
              { ...LEAF, view },
            ),
          ),
        ),
      ),
  },
  {
    no: 2,
    question: 'no FWB, all guest views cacheable',
    expected: 'safe',
    checks: () => [search('two pages, cacheable', 'verified', SEED, {}, { view: 'cacheable' })],
  },
  {
    no: 3,
    question: 'FWB',
    expected: 'SAFE',
    checks: () => [
      search('two pages, MMU off', 'verified', SEED, FWB, {}),
      search('non-cacheable', 'verified', SEED, FWB, { ...LEAF, view: 'non-cacheable' }),
    ],
  },
  {
    no: 4,
    question: 'table page freed while walk caches point to it',
    expected: 'safe; flips without the per-table flush, and without the assumption',
    checks: () => [
      search('tables dissolve', 'verified', SEED, FWB, {}),
      search(
        'without the per-table flush',
        'refuted P3',
        'unmap-stage2-range/without-table-flush',
        FWB,
        {},
      ),
      search(
        'reading-table-drop-by-any-ipa=off, baseline too',
        'refuted P3',
        BASELINE,
        { ...FWB, readingTableDropByAnyIpa: false },
        {},
      ),
      search(
        'reading-table-drop-by-any-ipa=off, seed',
        'refuted P3',
        SEED,
        { ...FWB, readingTableDropByAnyIpa: false },
        {},
      ),
    ],
  },
  {
    no: 5,
    question: 'table page freed while leaf entries below it are stale',
    expected: 'safe in v5.8',
    checks: () => [
      search('two pages of one table that dissolves', 'verified', SEED, FWB, {
        layout: 'adjacent',
      }),
    ],
  },
  {
    no: 6,
    question: 'VHE versus nVHE',
    expected: 'same verdict',
    checks: () =>
      [true, false].flatMap((vhe) => [
        search(`vhe=${onOff(vhe)} fwb=on`, 'verified', SEED, { ...FWB, vhe, e2h: vhe }, {}),
        search(`vhe=${onOff(vhe)} fwb=off`, 'refuted P5', SEED, { vhe, e2h: vhe }, LEAF),
      ]),
  },
  {
    no: 7,
    question: 'VPIPT I-cache with the host at EL1',
    expected: 'safe',
    checks: () => [
      search('new contents, mapped again, executed', 'verified', SEED, VPIPT, REFILLED),
      {
        what: 'without the I-cache step',
        expected: 'refuted P5',
        obtained: askCandidate(withoutIcacheStep(candidate(SEED)), VPIPT, REFILLED),
      },
    ],
  },
  {
    no: 8,
    question: 'threshold in 4 KiB, 16 KiB and 64 KiB pages',
    expected: 'safe: 512 pages each',
    checks: () =>
      GRANULES.map((granule) =>
        sum(
          `pages at the threshold, ${granule}`,
          512,
          (loopThreshold(granule) << 12n) / pageBytes(granule),
        ),
      ),
  },
  {
    no: 9,
    question: 'step of the loop',
    expected: 'safe: one operand for each page',
    checks: () =>
      GRANULES.map((granule) =>
        sum(
          `ranges of 1 to 511 pages with one operand per page, ${granule}`,
          511,
          rangesWithOneOperandPerPage(granule),
        ),
      ),
  },
  {
    no: 10,
    question: '__TLBI_VADDR as an IPA operand',
    expected: 'safe: IPA>>12 in bits 43:0, ASID 0, no level hint',
    checks: () => [
      sum(
        'operand of the last page of 52 bits',
        `0x${((1n << 40n) - 1n).toString(16)}`,
        `0x${vaddrOperand((1n << 52n) - 0x1000n, 0).toString(16)}`,
      ),
      sum('bits 63:44 of it', 0, vaddrOperand((1n << 52n) - 0x1000n, 0) >> 44n),
    ],
  },
  {
    no: 11,
    question: 'end or start not page aligned',
    expected: 'unsafe as an API, unreachable today',
    checks: () => [
      sum('TLBIs for 0x1000 to 0x1800, 4k', 0, operandCount(0x1000n, 0x1800n, '4k')),
      sum(
        'TLBIs for 0x9000 to 0x11000 (two pages), 64k',
        1,
        operandCount(0x9000n, 0x11000n, '64k'),
      ),
      search(
        'the seed on a range that ends inside its only page',
        'refuted P1 P2',
        SEED,
        FWB,
        UNALIGNED,
      ),
      search('the same with the end rounded down', 'refuted P1 P2', ROUNDED, FWB, UNALIGNED),
    ],
  },
  {
    no: 12,
    question: 'wrap at the top of the IPA space',
    expected: 'safe',
    checks: () => [
      sum(
        'operand of 2^52',
        `0x${(1n << 40n).toString(16)}`,
        `0x${vaddrOperand(1n << 52n, 0).toString(16)}`,
      ),
      sum(
        'TLBIs for the last two pages, 4k',
        2,
        operandCount((1n << 52n) - 0x2000n, 1n << 52n, '4k'),
      ),
    ],
  },
  {
    no: 13,
    question: 'partly covered block',
    expected: 'safe',
    checks: () => [
      search('range inside of a block', 'verified', SEED, FWB, {
        pages: 1,
        layout: 'adjacent',
        mapping: 'block',
        range: 'inside-block',
      }),
    ],
  },
  {
    no: 14,
    question: 'whole-VMID branch instead of IPA plus stage 1',
    expected: 'safe',
    checks: () => [
      search('512 pages', 'verified', SEED, FWB, { ...LEAF, range: 'wide' }),
      search('512 pages, stage-1 operation only', 'refuted P1 P2', LARGE, FWB, {
        ...LEAF,
        range: 'wide',
      }),
    ],
  },
  {
    no: 15,
    question: 'one store barrier for many clears',
    expected: 'safe',
    checks: () => [
      search('two pages of one table', 'verified', SEED, FWB, {
        layout: 'adjacent',
        keepTables: true,
      }),
    ],
  },
  {
    no: 16,
    question: 'DSB between stage 2 and stage 1',
    expected: 'present; removing it would be unsafe',
    checks: () => [
      search('present', 'verified', SEED, FWB, LEAF),
      search('removed', 'refuted P1 P2', 'unmap-stage2-range/range-without-middle-dsb', FWB, LEAF),
    ],
  },
  {
    no: 17,
    question: 'local or broadcast',
    expected: 'broadcast, safe',
    checks: () => [
      search('broadcast, two vCPUs', 'verified', SEED, FWB, { ...LEAF, vcpus: 2 }),
      search('local', 'refuted P1 P2', 'unmap-stage2-range/range-local', FWB, LEAF),
    ],
  },
  {
    no: 18,
    question: 'lock',
    expected: 'safe; hoisted past the loop it would be unsafe',
    checks: () => {
      const part: Partial<Scenario> = {
        pages: 2,
        keepTables: true,
        reschedule: 'always',
        faults: 'enter-host',
        notifier: false,
      };
      return [
        search('flush before the lock drop', 'verified', SEED, FWB, part),
        search(
          'flush after the loop',
          'refuted P4',
          'unmap-stage2-range/flush-after-loop',
          FWB,
          part,
        ),
      ];
    },
  },
  {
    no: 19,
    question: 'break-before-make on the block-replacement path, all BBM levels',
    expected: 'safe',
    checks: () =>
      ([0, 1, 2] as const).map((bbm) =>
        search(
          `bbm=${bbm}`,
          'verified',
          'replace-table-by-block/deferred-unmap-then-map',
          { ...FWB, bbm },
          { layout: 'in-block', afterwards: 'nothing' },
        ),
      ),
  },
  {
    no: 20,
    question: 'VMID switch of the host context',
    expected: 'as baseline',
    checks: () =>
      [SEED, BASELINE].map((id) =>
        search(`a second VM, ${id.split('/')[1] ?? ''}`, 'verified', id, FWB, {
          pages: 1,
          layout: 'adjacent',
          secondVm: true,
        }),
      ),
  },
  {
    no: 21,
    question: 'errata with repeated TLBI',
    expected: 'safe with the repeat; on cores v5.8 does not know both are wrong',
    checks: () => {
      const erratum: Partial<Features> = { ...FWB, erratumRepeatTlbi: true };
      const repeats = 'unmap-stage2-range/per-page-flush-repeat-tlbi';
      return [
        search('with the repeat', 'verified', repeats, erratum, LEAF),
        search('unknown core, baseline', 'refuted P10 P1 P2', BASELINE, erratum, LEAF),
        search('unknown core, seed', 'refuted P10 P1 P2', SEED, erratum, LEAF),
      ];
    },
  },
  {
    no: 22,
    question: 'nothing mapped in the chunk, or top-level entry empty',
    expected: 'cost only: a flush although nothing was cleared',
    checks: () => [
      search('nothing mapped', 'verified', SEED, FWB, { ...LEAF, mapping: 'unmapped' }),
      sum('TLBIs of the seed for an unmapped page', 2, tlbiCount(SEED)),
      sum('TLBIs of the baseline', 0, tlbiCount(BASELINE)),
    ],
  },
];

const LARGE = 'unmap-stage2-range/range-large-stage1-only';

const UNALIGNED: Partial<Scenario> = { ...LEAF, range: 'unaligned-end' };

const ROUNDED = 'unmap-stage2-range/range-end-rounded-down';

function onOff(on: boolean): string {
  return on ? 'on' : 'off';
}

/** Aligned ranges below the threshold that give exactly one operand for each of their pages. */
function rangesWithOneOperandPerPage(granule: Granule): number {
  const bytes = pageBytes(granule);
  const start = 0x4000_0000n;
  let good = 0;
  for (let pages = 1n; pages < 512n; pages += 1n) {
    const flush = rangeFlush(start, start + pages * bytes, granule);
    if (flush.kind !== 'each-page' || BigInt(flush.operands.length) !== pages) continue;
    const right = flush.operands.every(
      (operand, i) => operand === (start >> 12n) + BigInt(i) * loopStep(granule),
    );
    if (right) good += 1;
  }
  return good;
}

function operandCount(start: bigint, end: bigint, granule: Granule): number | string {
  const flush = rangeFlush(start, end, granule);
  return flush.kind === 'each-page' ? flush.operands.length : 'whole VMID';
}

/** TLBIs a candidate issues for one page that is not mapped, run alone. */
function tlbiCount(id: string): number {
  const world = buildWorld({
    features: { ...DEFAULT_FEATURES, ...FWB },
    pages: 1,
    layout: 'adjacent',
    mapping: 'unmapped',
    keepTables: true,
  });
  const vm = world.vms[0];
  if (vm === undefined) throw new RangeError('a world needs a VM');
  const request = unmapRequest(world, vm, 'nothing');
  const { effects } = runAlone(candidate(id).host(openVm(world, vm), request), world);
  return effects.filter(({ kind }) => kind === 'tlbi').length;
}
