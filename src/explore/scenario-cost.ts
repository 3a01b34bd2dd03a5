import { DEFAULT_FEATURES, type Features } from '../arm64/features.ts';
import type { AccessKind } from '../guest/access.ts';
import type { Guest, Scenario } from '../scenario/scenario.ts';
import { traceCost } from '../trace/cost.ts';
import type { Label } from '../trace/label.ts';

/**
 * What a counterexample costs its reader. A shrinker only ever goes to a cheaper one, so it ends.
 * The tuple, most important first: agents, pages, operations of guests, how unusual the scenario is
 * (its knobs and features), changes of agent, steps, spontaneous events, weight of the operations.
 */
export function costOf(scenario: Scenario, trace: readonly Label[]): readonly number[] {
  const { hosts, vcpus, secondVm, pages } = scenario;
  return [
    hosts + vcpus + (secondVm ? 1 : 0),
    pages,
    operations(scenario.guest, vcpus),
    unusual(scenario),
    ...traceCost(trace),
    weight(scenario.guest),
  ];
}

/** A guest without an end counts as many operations. */
const ENDLESS = 1000;

function operations(guest: Guest, vcpus: number): number {
  switch (guest.kind) {
    case 'general':
      return 2 * ENDLESS * vcpus;
    case 'persistent':
      return ENDLESS * vcpus;
    case 'trace':
      return guest.vcpus.reduce((sum, accesses) => sum + accesses.length, 0);
  }
}

const ACCESS_WEIGHT: { readonly [kind in AccessKind]: number } = { read: 1, write: 2, execute: 3 };

/** Settings of a scenario from the plainest on; a value's place in the list is its weight. */
export const KNOBS = {
  mapping: ['page', 'unmapped', 'block', 'block1', 'mixed'],
  layout: ['adjacent', 'in-block', 'across'],
  keepTables: [true, false],
  range: ['tight', 'wide', 'unaligned-end', 'inside-block'],
  view: ['mmu-off', 'non-cacheable', 'device', 'cacheable'],
  faults: ['ignored', 'enter-host'],
  notifier: [true, false],
  afterwards: ['nothing', 'read', 'reuse', 'read-then-reuse', 'refill', 'read-elsewhere'],
  reschedule: ['never', 'always', 'choose'],
} as const satisfies { readonly [knob in keyof Scenario]?: readonly Scenario[knob][] };

function unusual(scenario: Scenario): number {
  let sum = scenario.freePages + scenario.window;
  for (const knob of Object.keys(KNOBS) as (keyof typeof KNOBS)[]) {
    sum += (KNOBS[knob] as readonly unknown[]).indexOf(scenario[knob]);
  }
  for (const name of Object.keys(DEFAULT_FEATURES) as (keyof Features)[]) {
    if (scenario.features[name] !== DEFAULT_FEATURES[name]) sum += 1;
  }
  return sum;
}

function weight(guest: Guest): number {
  if (guest.kind !== 'trace') return ENDLESS;
  return guest.vcpus.flat().reduce((sum, { access }) => sum + ACCESS_WEIGHT[access], 0);
}
