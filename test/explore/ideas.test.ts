import { expect, test } from 'vitest';
import { DEFAULT_FEATURES, featureConflicts, type Features } from '../../src/arm64/features.ts';
import { HOLDS, type Candidate } from '../../src/candidates/candidate.ts';
import { findCandidate } from '../../src/candidates/catalogue.ts';
import { mapEffects } from '../../src/candidates/map-effects.ts';
import { verify } from '../../src/explore/verify.ts';
import type { Effect } from '../../src/program/effect.ts';
import { ALL_RULES, ruleById } from '../../src/rules/all-rules.ts';
import { isInputError } from '../../src/scenario/input-error.ts';

/**
 * Ideas as users have them: code of v5.8 with one thing changed. Nobody has said in which situation an idea
 * breaks, so the library has to show it. What each must come to is argued from the architecture.
 */

type Change = (effect: Effect) => readonly Effect[];

function known(id: string): Candidate {
  const candidate = findCandidate(id);
  if (candidate === null) throw new Error(`no candidate ${id}`);
  return candidate;
}

const UNMAP = known('unmap-stage2-range/per-page-flush');
const PROTECT = known('write-protect/flush-after-unlock');
const REMAP = known('map-stage2/break-before-make');
const BLOCK = known('replace-table-by-block/unmap-then-map');
const FAULT = known('memory-fault/skip-if-equal');

/** The candidate with its effects changed; `makes`: the change of one run, which may count. */
function idea(base: Candidate, makes: () => Change): Candidate {
  return {
    ...base,
    expected: () => HOLDS,
    host: (kvm, request) => mapEffects(base.host(kvm, request), makes()),
    fault: (kvm, fault) => mapEffects(base.fault(kvm, fault), makes()),
  };
}

function verdictOf(candidate: Candidate, change: Partial<Features>, rules = ALL_RULES): string {
  const features = { ...DEFAULT_FEATURES, ...change };
  expect(featureConflicts(features)).toEqual([]);
  const result = verify({
    candidate,
    rules,
    features,
    scenario: null,
    overrides: {},
    statesPerSearch: 400_000,
    expired: () => false,
  });
  if (isInputError(result)) throw new Error(result.message);
  return result.verdict;
}

const FWB = { fwb: true };
const NO_FWB = { fwb: false };
const NO_VHE = { vhe: false, e2h: false };
const OUTER = { tlbiOs: true, tlbiRange: true };

const at = (effect: Effect, name: string): boolean => effect.location.function === name;

/** Every effect that fits is left out. */
const without = (fits: (effect: Effect) => boolean) => (): Change => (effect) =>
  fits(effect) ? [] : [effect];

/** Every second one that fits is left out. */
const withoutSecond = (fits: (effect: Effect) => boolean) => (): Change => {
  let count = 0;
  return (effect) => {
    if (!fits(effect)) return [effect];
    count += 1;
    return count % 2 === 0 ? [] : [effect];
  };
};

const tlbis = (change: (op: string) => string) => (): Change => (effect) =>
  effect.kind === 'tlbi' ? [{ ...effect, op: change(effect.op) }] : [effect];

/** Another operation for each TLBI, or null for none. */
const replacing = (ops: { readonly [op: string]: string | null }) => (): Change => (effect) => {
  if (effect.kind !== 'tlbi') return [effect];
  const op = ops[effect.op];
  if (op === undefined) return [effect];
  return op === null ? [] : [{ ...effect, op, operand: { kind: 'const', value: 0n } }];
};

const dsbs =
  (
    change: (dsb: Extract<Effect, { kind: 'dsb' }>) => Effect,
    fits: (dsb: Extract<Effect, { kind: 'dsb' }>) => boolean = () => true,
  ) =>
  (): Change =>
  (effect) =>
    effect.kind === 'dsb' && fits(effect) ? [change(effect)] : [effect];

const isFull = (effect: Effect): boolean => effect.kind === 'dsb' && effect.limit === 'full';
const isForStores = (effect: Effect): boolean => effect.kind === 'dsb' && effect.limit === 'st';

const maintenance = (op: 'cvac' | 'cvau' | 'ivac') => (): Change => (effect) =>
  effect.kind === 'dc' ? [{ ...effect, op }] : [effect];

const isMaintenance = (effect: Effect): boolean => effect.kind === 'dc';
const protects = (effect: Effect): boolean => effect.kind === 'rmw';

type Idea = readonly [
  what: string,
  base: Candidate,
  makes: () => Change,
  features: Partial<Features>,
];

const BROKEN: readonly (readonly [...Idea, rule: string])[] = [
  // An entry that nobody touched is not stale; it still gives the right.
  ['nothing is write-protected', PROTECT, without(protects), FWB, 'permissions-after-return'],
  [
    'every second entry keeps the right',
    PROTECT,
    withoutSecond(protects),
    FWB,
    'permissions-after-return',
  ],
  // IPA forms need not touch combined entries, nor stage-1 forms those of stage 2: R_TVTYQ, R_VZZVZ.
  [
    'only the stage-1 TLBI',
    PROTECT,
    replacing({ VMALLS12E1IS: 'VMALLE1IS' }),
    FWB,
    'permissions-after-return',
  ],
  [
    'only the issuing PE',
    PROTECT,
    replacing({ VMALLS12E1IS: 'VMALLS12E1' }),
    FWB,
    'permissions-after-return',
  ],
  [
    'outer TLBI, DSB ISH',
    PROTECT,
    replacing({ VMALLS12E1IS: 'VMALLS12E1OS' }),
    { ...FWB, ...OUTER },
    'permissions-after-return',
  ],
  // R_PSMWS, R_YNJCP: the DSB covers loads and stores, and the domain.
  [
    'DSB ISHLD after the TLBI',
    PROTECT,
    dsbs((dsb) => ({ ...dsb, limit: 'ld' }), isFull),
    FWB,
    'permissions-after-return',
  ],
  [
    'DSB ISHST after the TLBI',
    PROTECT,
    dsbs((dsb) => ({ ...dsb, limit: 'st' }), isFull),
    FWB,
    'permissions-after-return',
  ],
  [
    'DSB NSH after the TLBI',
    PROTECT,
    dsbs((dsb) => ({ ...dsb, domain: 'nsh' }), isFull),
    FWB,
    'permissions-after-return',
  ],
  [
    'DMB in the place of DSB',
    PROTECT,
    dsbs(({ location }) => ({ kind: 'dmb', limit: 'full', location }), isFull),
    FWB,
    'permissions-after-return',
  ],
  // R_SPVBD: only a DSB makes the store visible to walks before the TLBI.
  ['no DSB before the TLBI', PROTECT, without(isForStores), FWB, 'permissions-after-return'],
  [
    'DMB ISHST before the TLBI',
    PROTECT,
    dsbs(({ location }) => ({ kind: 'dmb', limit: 'st', location }), isForStores),
    FWB,
    'permissions-after-return',
  ],
  // With XS = 1 the access may be under way when an nXS form is complete; a guest with its MMU off has it.
  ['TLBI nXS', UNMAP, tlbis((op) => `${op}NXS`), { ...NO_FWB, xs: true }, 'contents-after-return'],
  [
    'DSB nXS',
    UNMAP,
    dsbs((dsb) => ({ ...dsb, nXS: true }), isFull),
    { ...NO_FWB, xs: true },
    'contents-after-return',
  ],
  [
    'DSB nXS without FEAT_XS',
    UNMAP,
    dsbs((dsb) => ({ ...dsb, nXS: true }), isFull),
    FWB,
    'no-undefined-instruction',
  ],
  // I_YWBQX: what the kernel caches at EL1 is tagged with the VMID in force, stage 2 off or on.
  [
    'the VMID of the VM stays in force at EL1',
    UNMAP,
    without((e) => e.kind === 'context' && e.change.vmid === 0),
    { ...FWB, ...NO_VHE },
    'right-vmid',
  ],
  [
    'TLBI by address 0 and any ASID',
    UNMAP,
    replacing({ VMALLE1IS: 'VAAE1IS' }),
    FWB,
    'no-access-after-return',
  ],
  ['TLBI by ASID', UNMAP, replacing({ VMALLE1IS: 'ASIDE1IS' }), FWB, 'no-access-after-return'],
  // Cleaned, but a clean copy stays; or invalidated only, which loses a dirty line.
  ['clean without invalidate', UNMAP, maintenance('cvac'), NO_FWB, 'contents-after-return'],
  ['invalidate without clean', UNMAP, maintenance('ivac'), NO_FWB, 'contents-after-return'],
  // A guest past the caches reads the point of coherency; the point of unification may lie before it.
  ['clean to the point of unification', REMAP, maintenance('cvau'), NO_FWB, 'contents-after-map'],
  ['the new page is not cleaned', REMAP, without(isMaintenance), NO_FWB, 'contents-after-map'],
  [
    'a block of filled pages is not cleaned',
    BLOCK,
    without(isMaintenance),
    NO_FWB,
    'contents-after-map',
  ],
  [
    'the page of a fault is not cleaned',
    FAULT,
    without(isMaintenance),
    NO_FWB,
    'contents-after-map',
  ],
  [
    'the page of a fault is cleaned to the PoU',
    FAULT,
    maintenance('cvau'),
    NO_FWB,
    'contents-after-map',
  ],
  [
    'no I-cache maintenance at a fault',
    FAULT,
    without((e) => e.kind === 'ic'),
    FWB,
    'instructions-after-map',
  ],
  [
    'no TLBI where a fault replaces an entry',
    FAULT,
    without((e) => e.kind === 'tlbi'),
    FWB,
    'break-before-make',
  ],
  [
    'no break where a fault replaces an entry',
    FAULT,
    without((e) => e.kind === 'store' && at(e, 'stage2_set_pte') && e.location.line === 1422),
    FWB,
    'break-before-make',
  ],
];

test.each(BROKEN)('refuted: %s', (_what, base, makes, features, id) => {
  const rule = ruleById(id);
  if (rule === null) throw new Error(`no rule ${id}`);
  expect(verdictOf(idea(base, makes), features, [rule])).toBe('refuted');
});

/** Unusual, slower or both, and right: over-invalidation is always allowed (R_MMZTY, R_KKDKL). */
const RIGHT: readonly Idea[] = [
  [
    'everything of the VM for each entry',
    UNMAP,
    replacing({ IPAS2E1IS: null, VMALLE1IS: 'VMALLS12E1IS' }),
    NO_FWB,
  ],
  [
    'everything of the VM in the place of the IPA',
    UNMAP,
    replacing({ IPAS2E1IS: 'VMALLS12E1IS' }),
    NO_FWB,
  ],
  [
    'stage 1 first, then both',
    UNMAP,
    replacing({ IPAS2E1IS: 'VMALLE1IS', VMALLE1IS: 'VMALLS12E1IS' }),
    NO_FWB,
  ],
  [
    'every TLBI twice',
    UNMAP,
    () => (effect) => (effect.kind === 'tlbi' ? [effect, effect] : [effect]),
    NO_FWB,
  ],
  [
    'outer TLBIs and DSB OSH',
    UNMAP,
    () => (effect) =>
      effect.kind === 'tlbi'
        ? [{ ...effect, op: effect.op.replace(/IS$/, 'OS') }]
        : effect.kind === 'dsb'
          ? [{ ...effect, domain: 'osh' }]
          : [effect],
    { ...NO_FWB, ...OUTER },
  ],
  ['DSB ISH for stores', UNMAP, dsbs((dsb) => ({ ...dsb, limit: 'full' })), NO_FWB],
  ['DSB SY everywhere', UNMAP, dsbs((dsb) => ({ ...dsb, domain: 'sy' })), NO_FWB],
  ['all VMIDs', PROTECT, replacing({ VMALLS12E1IS: 'ALLE1IS' }), FWB],
  [
    'the leaf-only form where a page entry changes',
    REMAP,
    tlbis((op) => op.replace('IPAS2E1', 'IPAS2LE1')),
    NO_FWB,
  ],
  // With FWB a guest has no access with XS = 1.
  ['TLBI nXS with FWB', UNMAP, tlbis((op) => `${op}NXS`), { ...FWB, xs: true }],
  ['DSB nXS with FWB', UNMAP, dsbs((dsb) => ({ ...dsb, nXS: true }), isFull), { ...FWB, xs: true }],
  // At EL2 the VMID concerns guests only.
  [
    'the VMID stays in VTTBR_EL2 of a host at EL2',
    UNMAP,
    without((e) => e.kind === 'context' && e.change.vmid === 0),
    FWB,
  ],
  // The flush that follows ends with a full DSB before the new entry is written.
  [
    'no DSB after the maintenance of the new page',
    REMAP,
    without((e) => e.kind === 'dsb' && at(e, '__flush_dcache_area')),
    NO_FWB,
  ],
];

test.each(RIGHT)('verified: %s', (_what, base, makes, features) => {
  expect(verdictOf(idea(base, makes), features)).toBe('verified');
});
