import type { Features } from '../arm64/features.ts';
import type { Candidate, Need } from '../candidates/candidate.ts';
import { defaultScenario, type Scenario } from '../scenario/scenario.ts';

/** A scenario with the reason it is in the library. */
export interface NamedScenario {
  readonly name: string;
  readonly scenario: Scenario;
}

/** What a user may fix for all scenarios. */
export interface Overrides {
  readonly guest?: Scenario['guest'];
  readonly vcpus?: number;
  readonly pages?: number;
}

type Part = Partial<Scenario>;

const ONE_PAGE: Part = { pages: 1, layout: 'adjacent' };

const MAPPED_AGAIN: Part = { keepTables: true, faults: 'enter-host', afterwards: 'refill' };

const EXECUTED_AGAIN: Part = { ...MAPPED_AGAIN, guest: { kind: 'general', kinds: ['execute'] } };

const READ_AGAIN: Part = { ...MAPPED_AGAIN, guest: { kind: 'general', kinds: ['read'] } };

/**
 * The situations in which every unmap is looked at. Together: two PEs and more, two pages, tables
 * that become empty and are freed, a lock drop, all guest views, blocks, faults while the operation
 * runs, a second unmap, a second VM.
 */
const UNMAP: readonly (readonly [string, Part])[] = [
  ['two pages on both sides of a top-level border: tables dissolve, the lock may drop', {}],
  [
    'one page of a table that stays, guest with its MMU off',
    { ...ONE_PAGE, keepTables: true, view: 'mmu-off' },
  ],
  [
    'one page of a table that stays, guest maps it Normal Non-cacheable',
    { ...ONE_PAGE, keepTables: true, view: 'non-cacheable' },
  ],
  [
    'one page of a table that stays, guest maps it Device',
    { ...ONE_PAGE, keepTables: true, view: 'device' },
  ],
  [
    'one page of a table that stays, guest maps it cacheable',
    { ...ONE_PAGE, keepTables: true, view: 'cacheable' },
  ],
  ['two pages of one table that dissolves', { layout: 'adjacent' }],
  ['two vCPUs on two PEs', { ...ONE_PAGE, vcpus: 2, guest: { kind: 'general', kinds: ['write'] } }],
  ['a page and a block', { mapping: 'mixed' }],
  ['a second VM with the same IPA', { ...ONE_PAGE, secondVm: true }],
  [
    'the vCPU faults into the host while the notifier runs',
    { ...ONE_PAGE, faults: 'enter-host', freePages: 3 },
  ],
  // Mapped pages are looked up again only when the host has nothing for them any more, unless its
  // stores are late; here the vCPU may have looked the page up long before.
  [
    'the page is not mapped yet, and the vCPU faults into the host before and beside the notifier',
    { ...ONE_PAGE, mapping: 'unmapped', faults: 'enter-host', freePages: 3 },
  ],
  [
    'the vCPU faults into the host, which maps another page',
    { ...ONE_PAGE, faults: 'enter-host', notifier: false, keepTables: true },
  ],
  ['the page gets new contents, is mapped again and executed', { ...ONE_PAGE, ...EXECUTED_AGAIN }],
  ['the page gets new contents, is mapped again and read', { ...ONE_PAGE, ...READ_AGAIN }],
  [
    'the page is handed to another PE, which reads it',
    { ...ONE_PAGE, keepTables: true, afterwards: 'read-elsewhere' },
  ],
  ['two unmaps of the same range at a time', { ...ONE_PAGE, hosts: 2, keepTables: true }],
  [
    'a range past the threshold of the range flush',
    { ...ONE_PAGE, range: 'wide', keepTables: true },
  ],
];

/** The old page was write-protected before, so nobody relies on what is stored to it now. */
const REMAPPED: Part = { ...ONE_PAGE, keepTables: true, afterwards: 'reuse' };

const REMAP: readonly (readonly [string, Part])[] = [
  ['one page gets another physical page', REMAPPED],
  ['the same, guest maps it cacheable', { ...REMAPPED, view: 'cacheable' }],
  ['the same with two vCPUs', { ...REMAPPED, vcpus: 2 }],
];

const BLOCK: readonly (readonly [string, Part])[] = [
  ['two pages of a block, mapped by pages', { layout: 'in-block', afterwards: 'nothing' }],
  [
    'a block where nothing was mapped, of pages that the host has filled',
    { ...ONE_PAGE, layout: 'in-block', mapping: 'unmapped', freePages: 3, afterwards: 'nothing' },
  ],
];

const WRITE_PROTECT: readonly (readonly [string, Part])[] = [
  ['two pages on both sides of a top-level border', { afterwards: 'nothing' }],
  ['two vCPUs, one page', { ...ONE_PAGE, vcpus: 2, afterwards: 'nothing' }],
];

const FAULT: readonly (readonly [string, Part])[] = [
  [
    'two vCPUs want one unmapped page',
    {
      ...ONE_PAGE,
      mapping: 'unmapped',
      vcpus: 2,
      faults: 'enter-host',
      freePages: 3,
      guest: { kind: 'persistent', access: 'write' },
      afterwards: 'nothing',
    },
  ],
  [
    'the unmap path of v5.8 runs beside the fault path',
    { ...ONE_PAGE, faults: 'enter-host', freePages: 3 },
  ],
  [
    'the page is not mapped yet, and the unmap path of v5.8 runs beside the fault path',
    { ...ONE_PAGE, mapping: 'unmapped', faults: 'enter-host', freePages: 3 },
  ],
  // An entry that is already valid then gets another page.
  [
    'the host moves a page while two vCPUs fault on it',
    {
      ...ONE_PAGE,
      mapping: 'unmapped',
      vcpus: 2,
      faults: 'enter-host',
      notifier: false,
      keepTables: true,
      freePages: 3,
      guest: { kind: 'general', kinds: ['write'] },
      afterwards: 'reuse',
    },
  ],
  ['the page gets new contents, is mapped again and executed', { ...ONE_PAGE, ...EXECUTED_AGAIN }],
  ['the page gets new contents, is mapped again and read', { ...ONE_PAGE, ...READ_AGAIN }],
];

/** What a need of a candidate's expectation asks of a scenario. */
const NEEDS: { readonly [need in Need]: Part } = {
  'non-cacheable-guest': { view: 'mmu-off' },
  'second-unmap': { hosts: 2 },
  'fault-path': { faults: 'enter-host', notifier: false },
  'notified-fault-path': { faults: 'enter-host', notifier: true, freePages: 3 },
  'two-faulting-vcpus': {
    mapping: 'unmapped',
    vcpus: 2,
    faults: 'enter-host',
    freePages: 3,
    guest: { kind: 'persistent', access: 'write' },
  },
  'lock-drop': { layout: 'across', pages: 2, reschedule: 'always' },
  'kept-tables': { keepTables: true },
  'freed-tables': { keepTables: false },
  'adjacent-pages': { layout: 'adjacent', pages: 2 },
  'wide-range': { layout: 'adjacent', range: 'wide' },
  'unaligned-end': { range: 'unaligned-end' },
  'page-reuse': { afterwards: 'reuse' },
  'pages-of-a-block': { layout: 'in-block', pages: 2 },
  'executed-again': EXECUTED_AGAIN,
  'read-again': READ_AGAIN,
  'read-elsewhere': { afterwards: 'read-elsewhere' },
};

/** The situations for each kind of operation. */
export const BY_OPERATION: {
  readonly [operation in Candidate['operation']]: readonly (readonly [string, Part])[];
} = { unmap: UNMAP, remap: REMAP, block: BLOCK, 'write-protect': WRITE_PROTECT, fault: FAULT };

/** A smallest scenario that has everything in the list. */
export function scenarioWith(
  candidate: Candidate,
  features: Features,
  needs: readonly Need[],
): Scenario {
  const parts = needs.map((need) => NEEDS[need]);
  const base: Part = {
    ...ONE_PAGE,
    ...(candidate.operation === 'unmap' ? {} : { afterwards: 'nothing' }),
  };
  return Object.assign({}, defaultScenario(candidate.id, features), base, ...parts) as Scenario;
}

/** All scenarios a candidate is checked in with one machine. */
export function scenarioLibrary(
  candidate: Candidate,
  features: Features,
  overrides: Overrides = {},
): readonly NamedScenario[] {
  const base = defaultScenario(candidate.id, features);
  const list: NamedScenario[] = BY_OPERATION[candidate.operation].map(([name, part]) => ({
    name,
    scenario: { ...base, ...part },
  }));
  const expected = candidate.expected(features);
  if (expected.verdict === 'refuted') {
    for (const { needs } of expected.refutations) {
      const scenario = scenarioWith(candidate, features, needs);
      const name = needs.length === 0 ? 'one page' : needs.join(', ').replaceAll('-', ' ');
      list.push({ name: `expected to refute: ${name}`, scenario });
    }
  }
  const seen = new Set<string>();
  return list
    .map(({ name, scenario }) => ({ name, scenario: { ...scenario, ...overrides } }))
    .filter(({ scenario }) => {
      const key = JSON.stringify(scenario);
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
}
