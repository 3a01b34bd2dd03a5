import { DEFAULT_FEATURES, FEATURE_DEFINITIONS, type Features } from '../../arm64/features.ts';
import type { Candidate, OperationKind } from '../../candidates/candidate.ts';
import { ACCESS_KINDS, type AccessKind } from '../../guest/access.ts';
import type { Guest, Scenario } from '../../scenario/scenario.ts';
import type { Random } from '../../util/random.ts';
import { scenarioLibrary } from '../library.ts';
import { featureMatrix, variations } from '../matrix.ts';

/**
 * Random scenarios of a candidate. Each begins as a situation of the library, so that what belongs
 * together (a fault path and its free pages) comes together, and has a few of its settings changed.
 *
 * What an operation promises bounds what may be changed: nobody relies on the contents of a page that
 * is mapped elsewhere, or write-protected, so a scenario in which the host did would refute right code.
 */
export function drawScenario(
  random: Random,
  candidate: Candidate,
  source: string,
  machines: readonly Features[],
): Scenario {
  const situations = scenarioLibrary(candidate, one(random, machines));
  let scenario: Scenario = { ...one(random, situations).scenario, candidate: source };
  for (let changes = random.below(5); changes > 0; changes -= 1) {
    scenario = changeScenario(random, scenario, candidate.operation, machines);
  }
  return scenario;
}

/** The scenario with one setting drawn anew; what has to go with it is brought into line. */
export function changeScenario(
  random: Random,
  scenario: Scenario,
  operation: OperationKind,
  machines: readonly Features[],
): Scenario {
  const settings = SETTINGS[operation];
  const name = one(random, Object.keys(settings) as (keyof Settings)[]);
  const values = settings[name] as readonly unknown[];
  let changed: Scenario;
  if (name === 'features') changed = { ...scenario, features: one(random, machines) };
  else if (name === 'guest') changed = { ...scenario, guest: drawGuest(random, scenario) };
  else changed = { ...scenario, [name]: one(random, values) };
  return consistent(changed);
}

/** The machines a campaign draws from: the matrix, and every single change that `verify` makes. */
export function campaignMachines(): readonly Features[] {
  const keys = new Set(FEATURE_DEFINITIONS.map(({ key }) => key));
  // The matrix twice: half of the runs are on the machines everybody has.
  const matrix = featureMatrix();
  const changed = variations(keys).flatMap(({ points }) => points);
  const times = Math.max(1, Math.round(changed.length / matrix.length));
  return [...Array.from({ length: times }, () => matrix).flat(), ...changed, DEFAULT_FEATURES];
}

type Settings = { readonly [name in keyof Scenario]?: readonly unknown[] };

const SIZES: Settings = {
  features: [],
  vcpus: [1, 1, 2, 2, 3, 4, 5, 6],
  window: [4, 8, 8, 16, 24],
};

/** What may be changed, for each kind of operation; features and guests are drawn elsewhere. */
const SETTINGS: { readonly [operation in OperationKind]: Settings } = {
  unmap: {
    ...SIZES,
    guest: [],
    pages: [1, 1, 2, 2, 3, 4, 6],
    mapping: ['page', 'page', 'block', 'block1', 'mixed'],
    layout: ['across', 'adjacent', 'in-block'],
    keepTables: [true, false],
    // Not `unaligned-end`: KVM is asked for whole pages. The library has it for who is said to be wrong then.
    range: ['tight', 'tight', 'wide', 'inside-block'],
    view: ['mmu-off', 'non-cacheable', 'device', 'cacheable'],
    faults: ['ignored', 'enter-host'],
    notifier: [true, false],
    hosts: [1, 2],
    secondVm: [true, false, false],
    afterwards: ['nothing', 'read', 'reuse', 'read-then-reuse', 'refill'],
    freePages: [0, 1, 3, 6],
    reschedule: ['never', 'always', 'choose'],
  },
  remap: {
    ...SIZES,
    guest: [],
    view: ['mmu-off', 'non-cacheable', 'device', 'cacheable'],
    keepTables: [true, false],
    secondVm: [true, false, false],
    afterwards: ['nothing', 'reuse'],
  },
  block: {
    ...SIZES,
    guest: [],
    pages: [2, 3],
    view: ['mmu-off', 'non-cacheable', 'device', 'cacheable'],
    keepTables: [true, false],
    secondVm: [true, false, false],
  },
  'write-protect': {
    ...SIZES,
    guest: [],
    pages: [1, 2, 3],
    mapping: ['page', 'block', 'mixed'],
    layout: ['across', 'adjacent'],
    view: ['mmu-off', 'non-cacheable', 'device', 'cacheable'],
    keepTables: [true, false],
    secondVm: [true, false, false],
    reschedule: ['never', 'always', 'choose'],
  },
  fault: {
    features: [],
    vcpus: [1, 2, 2, 3, 4],
    window: [4, 8, 16],
    pages: [1, 2],
    layout: ['adjacent', 'across'],
    freePages: [2, 3, 6],
    guest: [],
  },
};

/** Settings that have a meaning only beside others. */
function consistent(scenario: Scenario): Scenario {
  const { faults, notifier, afterwards, guest, freePages, range, layout, vcpus, pages } = scenario;
  const entersHost = faults === 'enter-host';
  return {
    ...scenario,
    // The fault path we have maps pages, and takes what it finds in their place for a table.
    mapping: entersHost && /^(block|mixed)/.test(scenario.mapping) ? 'page' : scenario.mapping,
    // A fault path may need a page for a table; without one nothing is taken from the allocator.
    freePages: entersHost ? Math.max(freePages, 3) : 0,
    // New contents are looked at by a fault path alone, and it is the notifier that keeps it from
    // mapping the page while they are read in.
    afterwards: afterwards === 'refill' && !entersHost ? 'read' : afterwards,
    notifier: notifier || (afterwards === 'refill' && entersHost),
    layout: range === 'wide' && layout === 'across' ? 'adjacent' : layout,
    guest: fitting(guest, entersHost, vcpus, pages),
  };
}

/** A trace has a list for each vCPU and names pages that are there. */
function fitting(guest: Guest, entersHost: boolean, vcpus: number, pages: number): Guest {
  if (guest.kind === 'persistent') {
    return entersHost ? guest : { kind: 'general', kinds: [guest.access] };
  }
  if (guest.kind === 'general') return guest;
  const lists = guest.vcpus;
  return {
    kind: 'trace',
    vcpus: Array.from({ length: vcpus }, (_, vcpu) =>
      (lists[vcpu % lists.length] ?? []).map(({ access, page }) => ({
        access,
        page: page % pages,
      })),
    ),
  };
}

function drawGuest(random: Random, { vcpus, pages, faults }: Scenario): Guest {
  const access = (): AccessKind => one(random, ['read', 'write', 'write', ...ACCESS_KINDS]);
  const kind = random.below(4);
  if (kind === 0 && faults === 'enter-host') return { kind: 'persistent', access: access() };
  if (kind <= 1) {
    const lists = Array.from({ length: vcpus }, () =>
      Array.from({ length: 1 + random.below(6) }, () => ({
        access: access(),
        page: random.below(pages),
      })),
    );
    return { kind: 'trace', vcpus: lists };
  }
  const kinds = ACCESS_KINDS.filter(() => random.chance(1, 2));
  return { kind: 'general', kinds: kinds.length === 0 ? ['read', 'write'] : kinds };
}

function one<T>(random: Random, values: readonly T[]): T {
  return values[random.below(values.length)] as T;
}
