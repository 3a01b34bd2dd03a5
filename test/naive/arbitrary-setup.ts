import fc from 'fast-check';
import type { Features } from '../../src/arm64/features.ts';
import type { MachineSetup } from '../../src/machine/setup.ts';
import type { Effect } from '../../src/program/effect.ts';
import {
  dc,
  dmb,
  dsb,
  guestContext,
  host,
  hostLoad,
  hostStore,
  isb,
  load,
  page,
  s1Leaf,
  s1Table,
  s2Leaf,
  s2Table,
  setContext,
  setup,
  store,
  thread,
  tlbi,
} from './layout.ts';

/**
 * Small scenarios for the differential test: a host that edits descriptors with random barriers,
 * invalidations and cache maintenance between, and one or two guest PEs that use the pages.
 *
 * One shape of tables per scenario: stage 1 only, stage 2 only, or both; the stage under edit has one or
 * two levels. Windows are larger than any thread, so their size never matters.
 */

const VAS = [0x1000n, 0x2000n] as const;
const IPAS = [0x5000n, 0x6000n] as const;
/** The guest's root of stage 1, as an IPA and as a PA. */
const ROOT1_IPA = 0x7000n;
const ROOT1 = 0x10000n;
const TABLE1 = 0x11000n;
const ROOT2 = 0x20000n;
const TABLE2 = 0x21000n;
const DATA = [0x80000n, 0x81000n] as const;

type Shape = 'stage1' | 'stage2' | 'both';

export interface Plan {
  readonly shape: Shape;
  /** Levels of the stage that the host edits: 1 or 2. */
  readonly levels: 1 | 2;
  readonly pages: 1 | 2;
  /** The guest's own view is Non-cacheable (stage 1 off or its leaf), and lines are modelled. */
  readonly lines: boolean;
  readonly cacheable: boolean;
  readonly global: boolean;
  /** Leaves of stage 1 have the Contiguous bit, where the host edits them. */
  readonly contiguous: boolean;
  readonly initially: readonly ('mapped' | 'unmapped' | 'read-only')[];
  readonly features: Partial<Features>;
  readonly host: readonly HostStep[];
  readonly guests: readonly (readonly GuestStep[])[];
  readonly onFault: 'stop' | 'skip';
  /** The host's registers name another VMID until it changes them. */
  readonly foreignVmid: boolean;
}

type HostStep =
  | {
      readonly kind: 'edit';
      readonly page: number;
      readonly to: 'clear' | 'same' | 'other' | 'read-only';
    }
  /** Clear the table descriptor above; plain for one level. */
  | { readonly kind: 'unlink' }
  | { readonly kind: 'write' | 'read' | 'dc'; readonly page: number }
  | { readonly kind: 'clean'; readonly page: number }
  | { readonly kind: 'tlbi'; readonly op: number; readonly page: number }
  | { readonly kind: 'dsb'; readonly limit: 'full' | 'ld' | 'st'; readonly domain: 'nsh' | 'ish' }
  | { readonly kind: 'dmb'; readonly limit: 'full' | 'ld' | 'st' }
  | { readonly kind: 'isb' }
  | { readonly kind: 'vmid' };

type GuestStep =
  | { readonly kind: 'load' | 'store'; readonly page: number }
  | { readonly kind: 'dsb' | 'dmb' | 'isb' };

const OPS = [
  'VMALLE1IS',
  'IPAS2E1IS',
  'IPAS2LE1IS',
  'VMALLS12E1IS',
  'VAE1IS',
  'VALE1IS',
  'VAAE1IS',
  'ASIDE1IS',
  'VMALLE1',
  'IPAS2E1',
  'VAE1',
  'ALLE1IS',
] as const;

/** What a plan is as a setup. */
export function setupOf(plan: Plan): MachineSetup {
  const { shape, levels } = plan;
  const guest = guestContext(
    shape === 'stage2' ? null : shape === 'stage1' ? ROOT1 : ROOT1_IPA,
    shape === 'stage1' ? null : ROOT2,
  );
  const editsStage1 = shape === 'stage1';
  const inputs = editsStage1 ? VAS : IPAS;
  const [root, table] = editsStage1 ? [ROOT1, TABLE1] : [ROOT2, TABLE2];
  const leafTable = levels === 1 ? root : table;
  const cell = (index: number): bigint => leafTable + ((inputs[index] ?? 0n) >> 12n) * 8n;
  const leafOf = (data: bigint, readOnly: boolean): bigint =>
    editsStage1
      ? s1Leaf(data, {
          readOnly,
          cacheable: plan.cacheable,
          ng: !plan.global,
          contiguous: plan.contiguous,
        })
      : s2Leaf(data, { readOnly, fwb: plan.features.fwb ?? false });
  const dataOf = (index: number): bigint => DATA[index] ?? DATA[0];
  const valueOf = (index: number, to: 'clear' | 'same' | 'other' | 'read-only'): bigint => {
    switch (to) {
      case 'clear':
        return 0n;
      case 'same':
        return leafOf(dataOf(index), false);
      case 'read-only':
        return leafOf(dataOf(index), true);
      case 'other':
        return leafOf(dataOf(1 - index), false);
    }
  };
  const memory = new Map<bigint, bigint>();
  if (levels === 2) memory.set(root, editsStage1 ? s1Table(table) : s2Table(table));
  for (let index = 0; index < plan.pages; index += 1) {
    const state = plan.initially[index] ?? 'mapped';
    const to = state === 'mapped' ? 'same' : state === 'unmapped' ? 'clear' : 'read-only';
    memory.set(cell(index), valueOf(index, to));
    memory.set(dataOf(index), BigInt(16 * (index + 1)));
    if (shape === 'both') {
      const at = ROOT1 + ((VAS[index] ?? 0n) >> 12n) * 8n;
      const { cacheable } = plan;
      memory.set(at, s1Leaf(IPAS[index] ?? 0n, { cacheable, ng: !plan.global }));
    }
  }
  if (shape === 'both')
    memory.set(
      leafTable + (ROOT1_IPA >> 12n) * 8n,
      s2Leaf(ROOT1, { fwb: plan.features.fwb ?? false }),
    );
  const used = shape === 'stage2' ? IPAS : VAS;
  const places = { root, cell, valueOf, dataOf, inputs: used };
  return setup({
    threads: [
      [
        thread(
          'host',
          plan.host.map((step, at) => hostEffect(step, at, places)),
        ),
        { ...host(guest), vmid: plan.foreignVmid ? 2 : 1 },
      ],
      ...plan.guests.map(
        (steps, pe) =>
          [
            thread(
              `guest${pe}`,
              steps.map((step, at) => guestEffect(step, 100n * BigInt(pe + 1) + BigInt(at), used)),
              plan.onFault,
            ),
            guest,
          ] as const,
      ),
    ],
    memory,
    watchedVas: used.slice(0, plan.pages),
    dataCache: plan.lines ? 'modelled' : 'coherent',
    pages: DATA.map((base, i) => ({ base, use: 'guest', vmid: 1, name: `page${i}` })),
    stage1Bits: editsStage1 && levels === 2 ? 30 : 20,
    stage2Bits: !editsStage1 && levels === 2 ? 30 : 20,
    features: plan.features,
  });
}

interface Places {
  readonly root: bigint;
  readonly cell: (index: number) => bigint;
  readonly valueOf: (index: number, to: 'clear' | 'same' | 'other' | 'read-only') => bigint;
  readonly dataOf: (index: number) => bigint;
  readonly inputs: readonly bigint[];
}

function hostEffect(step: HostStep, at: number, places: Places): Effect {
  switch (step.kind) {
    case 'edit':
      return hostStore(places.cell(step.page), places.valueOf(step.page, step.to));
    case 'unlink':
      return hostStore(places.root, 0n);
    case 'write':
      return hostStore(places.dataOf(step.page), BigInt(at + 1));
    case 'read':
      return hostLoad(places.dataOf(step.page));
    case 'dc':
      return dc('civac', places.dataOf(step.page));
    case 'clean':
      return dc('cvac', places.dataOf(step.page));
    case 'tlbi': {
      const op = OPS[step.op] ?? 'VMALLE1IS';
      if (op.startsWith('IPA')) return tlbi(op, page(IPAS[step.page] ?? 0n));
      return tlbi(
        op,
        op.startsWith('V') || op.startsWith('ASID') ? operandOf(op, step, places) : 0n,
      );
    }
    case 'dsb':
      return dsb(step.domain, step.limit);
    case 'dmb':
      return dmb(step.limit);
    case 'isb':
      return isb();
    case 'vmid':
      return setContext({ vmid: 1 });
  }
}

function operandOf(op: string, step: { readonly page: number }, { inputs }: Places): bigint {
  return op.startsWith('VM') ? 0n : page(inputs[step.page] ?? 0n, 1);
}

function guestEffect(step: GuestStep, value: bigint, inputs: readonly bigint[]): Effect {
  switch (step.kind) {
    case 'load':
      return load(inputs[step.page] ?? 0n);
    case 'store':
      return store(inputs[step.page] ?? 0n, value);
    case 'dsb':
      return dsb();
    case 'dmb':
      return dmb();
    case 'isb':
      return isb();
  }
}

/**
 * Plans, smaller ones first. `lines: false` leaves the cache model out; `contiguous` asks for stage 1
 * with two pages of one contiguous group.
 */
export function arbitraryPlan(
  options: { readonly lines?: boolean; readonly contiguous?: boolean } = {},
): fc.Arbitrary<Plan> {
  const contiguous = options.contiguous ?? false;
  return fc
    .record({
      shape: contiguous
        ? fc.constant<Shape>('stage1')
        : fc.constantFrom<Shape>('stage1', 'stage2', 'both'),
      levels: fc.constantFrom<1 | 2>(1, 2),
      pages: contiguous ? fc.constant<2>(2) : fc.constantFrom<1 | 2>(1, 1, 1, 2),
      lines: (options.lines ?? true) ? fc.boolean() : fc.constant(false),
      guestCount: fc.constantFrom(1, 1, 1, 2),
    })
    .chain(({ shape, levels, pages, lines, guestCount }) => {
      const index = fc.nat({ max: pages - 1 });
      return fc.record<Plan>({
        shape: fc.constant(shape),
        levels: fc.constant(levels),
        pages: fc.constant(pages),
        lines: fc.constant(lines),
        cacheable: fc.boolean(),
        global: fc.boolean(),
        contiguous: fc.constant(contiguous),
        initially: fc.array(fc.constantFrom('mapped', 'mapped', 'unmapped', 'read-only'), {
          minLength: pages,
          maxLength: pages,
        }),
        features: fc.record({
          ets: fc.constantFrom('none', 'none', 'ets2', 'ets3'),
          fwb: fc.boolean(),
          erratumRepeatTlbi: fc.constantFrom(false, false, false, true),
          readingTableDropByAnyIpa: fc.constantFrom(true, true, false),
        }),
        host: fc.array(arbitraryHostStep(index, lines), {
          minLength: 1,
          maxLength: guestCount === 1 ? 6 : 4,
        }),
        guests: fc.array(
          fc.array(arbitraryGuestStep(index), {
            minLength: 1,
            maxLength: guestCount === 1 && pages === 1 ? 3 : 2,
          }),
          { minLength: guestCount, maxLength: guestCount },
        ),
        onFault: fc.constantFrom('stop', 'stop', 'skip'),
        foreignVmid: fc.constantFrom(false, false, false, true),
      });
    });
}

/** Setups of plans. */
export function arbitrarySetup(
  options: { readonly lines?: boolean } = {},
): fc.Arbitrary<MachineSetup> {
  return arbitraryPlan(options).map(setupOf);
}

function arbitraryHostStep(index: fc.Arbitrary<number>, lines: boolean): fc.Arbitrary<HostStep> {
  const limit = fc.constantFrom<'full' | 'ld' | 'st'>('full', 'full', 'full', 'ld', 'st');
  const to = fc.constantFrom<'clear' | 'same' | 'other' | 'read-only'>(
    'clear',
    'clear',
    'same',
    'other',
    'read-only',
  );
  const steps: fc.WeightedArbitrary<HostStep>[] = [
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('edit'), page: index, to }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'unlink' }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('write'), page: index }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('read'), page: index }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('tlbi'),
        op: fc.nat({ max: OPS.length - 1 }),
        page: index,
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('dsb'),
        limit,
        domain: fc.constantFrom<'nsh' | 'ish'>('ish', 'ish', 'ish', 'nsh'),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('dmb'), limit }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'isb' }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'vmid' }) },
  ];
  if (lines) {
    steps.push({ weight: 3, arbitrary: fc.record({ kind: fc.constant('dc'), page: index }) });
    steps.push({ weight: 1, arbitrary: fc.record({ kind: fc.constant('clean'), page: index }) });
  }
  return fc.oneof(...steps);
}

function arbitraryGuestStep(index: fc.Arbitrary<number>): fc.Arbitrary<GuestStep> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant<'load'>('load'), page: index }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant<'store'>('store'), page: index }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constantFrom<'dsb' | 'dmb' | 'isb'>('dsb', 'dmb', 'isb') }),
    },
  );
}
