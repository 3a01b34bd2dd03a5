import { describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../../src/arm64/features.ts';
import { findCandidate } from '../../../src/candidates/catalogue.ts';
import { mutants } from '../../../src/candidates/mutants/mutate.ts';
import { RUN_FACT_NAMES, type RunFact } from '../../../src/explore/campaign/fact.ts';
import { factWatch } from '../../../src/explore/campaign/fact-watch.ts';
import { randomRun } from '../../../src/explore/random.ts';
import { createMachine } from '../../../src/machine/machine.ts';
import { buildSetup, worldOf } from '../../../src/scenario/build.ts';
import { defaultScenario, type Scenario } from '../../../src/scenario/scenario.ts';

/** Runs of each scenario; seeds are fixed, so what they see is too. */
const RUNS = 30;

const BASELINE = 'unmap-stage2-range/per-page-flush';
const ONE_PAGE: Partial<Scenario> = { pages: 1, layout: 'adjacent' };
const FAULTS: Partial<Scenario> = {
  ...ONE_PAGE,
  faults: 'enter-host',
  freePages: 3,
  notifier: false,
};

/** What runs of a scenario get into; `mutation` makes a mutant of the candidate. */
function factsOf(
  change: Partial<Scenario> = {},
  id = BASELINE,
  mutation: RegExp | null = null,
): ReadonlySet<RunFact> {
  const candidate = findCandidate(id);
  if (candidate === null) throw new RangeError(`no candidate ${id}`);
  const scenario = { ...defaultScenario(id, DEFAULT_FEATURES), ...change };
  const under =
    mutation === null
      ? candidate
      : mutants(candidate, worldOf(scenario, candidate)).find((each) => mutation.test(each.id))
          ?.candidate;
  if (under === undefined) throw new RangeError('no such mutant');
  const machine = createMachine(buildSetup(scenario, under));
  const facts = new Set<RunFact>();
  for (let seed = 0; seed < RUNS; seed += 1) {
    const watch = factWatch(machine, scenario.hosts);
    randomRun(machine, seed, { hosts: scenario.hosts, rules: [], watch: watch.see });
    for (const fact of watch.facts()) facts.add(fact);
  }
  return facts;
}

/** Where each fact occurs, and a twin that lacks just what it takes. */
const CASES: readonly (readonly [
  RunFact,
  () => ReadonlySet<RunFact>,
  () => ReadonlySet<RunFact>,
])[] = [
  // A page that is not mapped at first, and only mapped, leaves nothing old behind.
  ...(['stale-hit', 'hit-before-delivery', 'stale-store'] as const).map(
    (fact) => [fact, () => factsOf(), () => factsOf({ mapping: 'unmapped' })] as const,
  ),
  ['stale-fault', () => factsOf(FAULTS), () => factsOf({ guest: { kind: 'trace', vcpus: [[]] } })],
  [
    'access-across-delivery',
    () => factsOf(),
    () => factsOf({ guest: { kind: 'trace', vcpus: [[]] } }),
  ],
  [
    'delivered-here-not-there',
    () => factsOf(),
    () => factsOf({ guest: { kind: 'trace', vcpus: [[]] } }),
  ],
  ['walk-between-break-and-make', () => factsOf(FAULTS), () => factsOf()],
  [
    'two-sizes-live',
    () => factsOf({ layout: 'in-block', afterwards: 'nothing' }, 'replace-table-by-block/direct'),
    () =>
      factsOf(
        { layout: 'in-block', afterwards: 'nothing' },
        'replace-table-by-block/unmap-then-map',
      ),
  ],
  ['cut-off-table-cached', () => factsOf(), () => factsOf({ ...ONE_PAGE, keepTables: true })],
  ['table-freed', () => factsOf(), () => factsOf({ ...ONE_PAGE, keepTables: true })],
  ['store-past-the-cache', () => factsOf(), () => factsOf({ view: 'cacheable' })],
  [
    'fill-between-clean-and-store',
    () => factsOf({}, 'unmap-stage2-range/deferred-range-flush'),
    () => factsOf({}, BASELINE),
  ],
  ['dirty-line-cleaned', () => factsOf({ view: 'cacheable' }), () => factsOf({ view: 'mmu-off' })],
  [
    'line-written-back',
    () => factsOf({ view: 'cacheable' }),
    () => factsOf({ afterwards: 'read' }),
  ],
  [
    'register-unsynchronised',
    () => factsOf(),
    // No flush, no switch to the VMID of the guest.
    () => factsOf({ ...ONE_PAGE, keepTables: true }, 'unmap-stage2-range/without-leaf-flush'),
  ],
  ['tlbi-unsynchronised', () => factsOf({}, BASELINE, /#drop@isb/), () => factsOf()],
  ['stores-out-of-order', () => factsOf(FAULTS), () => factsOf({ ...FAULTS, window: 1 })],
  ['lock-dropped', () => factsOf({ reschedule: 'always' }), () => factsOf({ reschedule: 'never' })],
  ['lock-passed-on', () => factsOf({ hosts: 2 }), () => factsOf()],
  ['operations-overlap', () => factsOf({ hosts: 2 }), () => factsOf()],
  ['fault-in-operation', () => factsOf(), () => factsOf({ guest: { kind: 'trace', vcpus: [[]] } })],
  ['fault-mapped-page', () => factsOf(FAULTS), () => factsOf()],
  [
    'instruction-fetched',
    () => factsOf({ guest: { kind: 'general', kinds: ['execute'] } }),
    () => factsOf({ guest: { kind: 'general', kinds: ['read', 'write'] } }),
  ],
  [
    'return-before-delivery',
    () => factsOf({}, 'unmap-stage2-range/without-last-dsb'),
    () => factsOf(),
  ],
  [
    'freed-table-reachable',
    () => factsOf({}, 'unmap-stage2-range/without-table-flush'),
    () => factsOf(),
  ],
];

describe('facts of a run', () => {
  test('all are in the table below', () => {
    expect(CASES.map(([fact]) => fact).sort()).toEqual(RUN_FACT_NAMES);
  });

  test.each(CASES)('%s is seen where it is, and not where it is not', (fact, where, elsewhere) => {
    expect(where()).toContain(fact);
    expect(elsewhere()).not.toContain(fact);
  });
});
