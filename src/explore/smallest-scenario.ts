import { attempt } from '../frontend/kernel-c/diagnostic.ts';
import type { Rule } from '../rules/rule.ts';
import type { Guest, Scenario, TraceAccess } from '../scenario/scenario.ts';
import { findViolation, machineOf, type Subject } from './check.ts';
import type { SearchLimits } from './search.ts';

/** `null` where there is nothing to be changed in this way. */
type Change = (scenario: Scenario) => Partial<Scenario> | null;

type General = Extract<Guest, { readonly kind: 'general' }>;

const NO_FAULTS = { faults: 'ignored', freePages: 0, notifier: true } as const;

/**
 * What is tried, in this order. Of each group the first change that still breaks the rule is kept; a
 * change that changes nothing counts as kept.
 */
const GROUPS: readonly (readonly Change[])[] = [
  [() => ({ secondVm: false })],
  [() => ({ hosts: 1 })],
  [
    // Without faults nobody maps a page, so it has to be there.
    ({ mapping }) => ({ ...NO_FAULTS, mapping: mapping === 'unmapped' ? 'page' : mapping }),
    ({ mapping }) => (mapping === 'unmapped' ? NO_FAULTS : {}),
  ],
  [() => ({ vcpus: 1 })],
  [() => ({ range: 'tight' })],
  [() => ({ mapping: 'page' })],
  [
    () => ({ layout: 'adjacent', pages: 1, keepTables: true }),
    () => ({ layout: 'adjacent', pages: 1 }),
    () => ({ layout: 'adjacent', keepTables: true }),
    () => ({ layout: 'adjacent' }),
    () => ({ keepTables: true }),
  ],
  [() => ({ freePages: 0 }), ({ freePages }) => ({ freePages: Math.min(freePages, 1) })],
  [() => ({ reschedule: 'never' }), () => ({ reschedule: 'always' })],
  [
    () => ({ afterwards: 'nothing' }),
    () => ({ afterwards: 'read' }),
    () => ({ afterwards: 'reuse' }),
  ],
  [() => ({ view: 'mmu-off' })],
  [guestKinds('read'), guestKinds('write')],
  [1, 2, 3, 4, 8].map((window) => (scenario) => ({ window: Math.min(window, scenario.window) })),
];

/** Of these, what leaves the host's code and its tables as they are. */
const BOUNDS: readonly (readonly Change[])[] = [
  [() => ({ vcpus: 1 })],
  [() => ({ reschedule: 'never' }), () => ({ reschedule: 'always' })],
  (['read', 'write', 'execute'] as const).map(
    (kind): Change =>
      ({ guest }) =>
        guest.kind === 'general' && guest.kinds.includes(kind)
          ? { guest: { kind: 'general', kinds: [kind] } }
          : null,
  ),
  // One access by a vCPU that is alone, or none: what it may have cached is there without any.
  [
    alone(() => []),
    ...[0, 1, 2, 3].map((page) => alone(({ kinds: [access = 'read'] }) => [{ access, page }])),
  ],
];

function alone(accesses: (guest: General) => readonly TraceAccess[]): Change {
  return ({ guest, vcpus }) =>
    guest.kind === 'general' && guest.kinds.length === 1 && vcpus === 1
      ? { guest: { kind: 'trace', vcpus: [accesses(guest)] } }
      : null;
}

function guestKinds(kind: 'read' | 'write'): Change {
  return ({ guest }) =>
    guest.kind === 'general' ? { guest: { kind: 'general', kinds: [kind] } } : {};
}

/**
 * The scenario made as small as it can be while the rule is still broken: one change after the other
 * in a fixed order, each kept when a search still finds a violation. The result is the same for the
 * same scenario, candidate and rule, so it can be part of a canonical counterexample.
 */
export function smallestScenario(
  scenario: Scenario,
  candidate: Subject,
  rule: Rule,
  limits: SearchLimits,
): Scenario {
  return smallestBy(GROUPS, scenario, candidate, rule, limits);
}

/**
 * The same for code whose host thread and tables are fixed: only what vCPUs do, how many they are, the
 * window, and whether the lock is given away become less.
 */
export function narrowestScenario(
  scenario: Scenario,
  subject: Subject,
  rule: Rule,
  limits: SearchLimits,
): Scenario {
  const fewer = smallestBy(BOUNDS, scenario, subject, rule, limits);
  // What breaks a rule with few instructions in flight does so with more.
  let least = 1;
  let enough = fewer.window;
  while (least < enough) {
    const window = Math.floor((least + enough) / 2);
    if (breaks({ ...fewer, window }, subject, rule, limits)) enough = window;
    else least = window + 1;
  }
  return { ...fewer, window: enough };
}

function smallestBy(
  groups: readonly (readonly Change[])[],
  scenario: Scenario,
  candidate: Subject,
  rule: Rule,
  limits: SearchLimits,
): Scenario {
  let smallest = scenario;
  for (const group of groups) {
    for (const change of group) {
      const changed = change(smallest);
      if (changed === null) continue;
      const smaller = { ...smallest, ...changed };
      if (isSame(smaller, smallest)) break;
      // With fewer free pages a thread may wait for one: another way to wait for ever.
      if (rule.id === 'progress' && smaller.freePages !== smallest.freePages) continue;
      if (!breaks(smaller, candidate, rule, limits)) continue;
      smallest = smaller;
      break;
    }
  }
  return smallest;
}

/** Whether a search finds a violation of the rule. */
export function breaks(
  scenario: Scenario,
  candidate: Subject,
  rule: Rule,
  limits: SearchLimits,
): boolean {
  // Kernel code may come to something without a meaning in another scenario.
  const found = attempt(() => {
    const machine = machineOf(scenario, candidate);
    return 'kind' in machine ? null : findViolation(machine, [rule], limits, true);
  });
  return found.kind === 'ok' && found.value?.kind === 'violation';
}

function isSame(a: Scenario, b: Scenario): boolean {
  return (Object.keys(a) as (keyof Scenario)[]).every(
    (key) => a[key] === b[key] || JSON.stringify(a[key]) === JSON.stringify(b[key]),
  );
}
