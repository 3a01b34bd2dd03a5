import { getHeapStatistics } from 'node:v8';
import type { Machine } from '../src/machine/machine.ts';
import { ALL, bench, PASSES, searched, WINDOW } from './exhaustive.ts';

/** What the JavaScript heap has to do with a search. */
export interface AllocationRow {
  readonly question: string;
  /** vCPUs x pages. */
  readonly size: string;
  readonly states: number;
  readonly transitions: number;
  /** Bytes for each transition of the first search of a machine: it finds out what steps there are. */
  readonly first: number;
  /** Bytes for each transition of a later search of it. */
  readonly later: number;
  /** Milliseconds of processor time of both. */
  readonly firstMs: number;
  readonly laterMs: number;
}

const SIZES = [
  [2, 3],
  [2, 4],
  [3, 4],
] as const;
/** Searches before the one that counts as a later one: by then the hot loop has been compiled for good. */
const BETWEEN = 3;

/** Bytes allocated in searches that pass, as long as no garbage was collected. */
export function allocationRows(states: number): readonly AllocationRow[] {
  return PASSES.flatMap((question) =>
    SIZES.map(([vcpus, pages]): AllocationRow => {
      const machine = bench({ ...question, vcpus, pages, window: WINDOW });
      const first = measured(machine, states);
      for (let i = 0; i < BETWEEN; i += 1) measured(machine, states);
      const later = measured(machine, states);
      return {
        question: question.name,
        size: `${vcpus} x ${pages}`,
        states: first.states,
        transitions: first.transitions,
        first: first.bytes,
        later: later.bytes,
        firstMs: first.ms,
        laterMs: later.ms,
      };
    }),
  );
}

/**
 * One search. The heap in use is looked at every 512 states; where it has shrunk garbage was collected in
 * between, and that stretch is left out of both bytes and transitions. What the looks themselves allocate is counted.
 */
function measured(machine: Machine, states: number) {
  let bytes = 0;
  let counted = 0;
  let before = getHeapStatistics().used_heap_size;
  let done = 0;
  const start = process.cpuUsage();
  const result = searched(machine, ALL, states, ({ transitions }) => {
    const now = getHeapStatistics().used_heap_size;
    if (now >= before) {
      bytes += now - before;
      counted += transitions - done;
    }
    before = now;
    done = transitions;
  });
  const { user, system } = process.cpuUsage(start);
  return {
    states: result.states,
    transitions: result.transitions,
    bytes: bytes / counted,
    ms: (user + system) / 1000,
  };
}
