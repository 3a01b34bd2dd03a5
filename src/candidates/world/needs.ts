import type { Need, OperationKind } from '../candidate.ts';
import type { WorldOptions } from './options.ts';

/** A world in which an operation makes sense, and that has what a refutation needs. */
export type SmallWorld = Omit<WorldOptions, 'features'>;

/**
 * The smallest world for an operation and the needs of one refutation (or none). What a need says of
 * the threads is not in here: `non-cacheable-guest`, `second-unmap`, the fault paths and the number of
 * vCPUs are for the scenario, `page-reuse` is part of the request.
 */
export function smallWorld(operation: OperationKind, needs: readonly Need[]): SmallWorld {
  const has = (need: Need): boolean => needs.includes(need);
  const faults = has('fault-path') || has('notified-fault-path') || operation === 'fault';
  const block = operation === 'block' || has('pages-of-a-block');
  const racing = faults || has('second-unmap');
  return {
    pages: block || has('lock-drop') || has('adjacent-pages') ? 2 : 1,
    layout: block ? 'in-block' : has('lock-drop') ? 'across' : 'adjacent',
    mapping: operation === 'fault' ? 'unmapped' : 'page',
    range: has('wide-range') ? 'wide' : has('unaligned-end') ? 'unaligned-end' : 'tight',
    keepTables: has('kept-tables'),
    // A remap and a fault after an unmap need another page to map.
    sparePages: operation === 'remap' || faults ? 1 : 0,
    // Tables that a fault makes: one per level below the root.
    freePages: operation === 'fault' || has('notified-fault-path') ? 3 : 0,
    sharedCounts: racing,
    backing: faults,
    notifier: has('notified-fault-path'),
    reschedule: has('lock-drop') ? 'always' : 'never',
  };
}
