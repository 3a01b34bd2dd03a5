import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { search } from '../../src/explore/search.ts';
import { isLine } from '../../src/machine/memory.ts';
import { resultAt } from '../../src/machine/settle-window.ts';
import type { State } from '../../src/machine/state.ts';
import { createMachine, type Machine } from '../../src/machine/machine.ts';
import type { MachineSetup } from '../../src/machine/setup.ts';
import { AT, FLAG, flagsOf, get } from '../../src/machine/window.ts';
import { naiveOutcomes } from '../../src/naive/naive-outcomes.ts';
import { outcomeKeys, type SeqAnswer } from '../../src/naive/outcome.ts';
import { arbitraryPlan, setupOf, type Plan } from '../naive/arbitrary-setup.ts';

/**
 * The fast machine against the naive one: may-caches against explicit TLBs and cache lines, written
 * by different hands. Both must reach exactly the same outcomes on every generated scenario; a
 * scenario that one of them cannot finish within its limit is counted and not compared.
 */

/** Most states of the naive machine and of the fast one: beyond, a scenario is not compared. */
const NAIVE_STATES = 300;
const FAST_STATES = 200;

/** Windows that never retire keep every answer until the end of the run. */
function keepingAll(setup: MachineSetup): MachineSetup {
  return {
    ...setup,
    threads: setup.threads.map((thread) => ({
      ...thread,
      tree: { ...thread.tree, symbolic: true },
    })),
    bounds: { window: 31 },
  };
}

function outcomesOf(setup: MachineSetup, reduced: boolean): ReadonlySet<string> | null {
  const machine = createMachine(keepingAll(setup));
  const outcomes = new Set<string>();
  const result = search(
    machine,
    { states: FAST_STATES },
    {
      reduced,
      onEnd(state) {
        if (machine.end(state) !== 'finished') return;
        for (const key of keysOf(machine, state)) outcomes.add(key);
      },
    },
  );
  return result.kind === 'exhausted' ? outcomes : null;
}

function keysOf(machine: Machine, state: State): readonly string[] {
  const { inspect } = machine;
  inspect.load(state);
  const { memory, tlbs } = inspect;
  const written = new Set<number>();
  const threads = machine.setup.threads.map((_, pe) => {
    const w = inspect.window(pe);
    const answers: SeqAnswer[] = [];
    for (let seq = 0; seq < w.count; seq += 1) {
      const info = w.infos[seq];
      const flags = flagsOf(w, seq);
      if (info === undefined) continue;
      if ((flags & FLAG.written) !== 0) written.add(get(w, seq, AT.cell));
      if ((flags & FLAG.faulted) !== 0) {
        const { fault } = tlbs.results.item(get(w, seq, AT.result));
        if (fault !== null) answers.push({ seq, answer: { kind: 'fault', fault } });
      } else if (info.reads) {
        const value = resultAt(memory, w, seq);
        if (value !== undefined) answers.push({ seq, answer: { kind: 'value', value } });
      }
    }
    return answers;
  });
  return outcomeKeys({
    threads,
    memory: [...written].map((cell) => {
      const slot = inspect.slot(cell);
      if (!isLine(slot)) return [memory.addressOf(cell), [memory.coherentValue(slot)]] as const;
      const line = memory.line(slot);
      const ids = line.dirty >= 0 ? [line.dirty] : line.clean;
      return [memory.addressOf(cell), ids.map((id) => memory.value(id))] as const;
    }),
  });
}

function compare(
  options: Parameters<typeof arbitraryPlan>[0],
  runs: number,
  seed: number,
): { compared: number; cut: number } {
  let compared = 0;
  let cut = 0;
  fc.assert(
    fc.property(arbitraryPlan(options), (plan) => {
      const setup = setupOf(plan);
      const reduced = outcomesOf(setup, true);
      const naive =
        reduced === null ? null : naiveOutcomes(setup, { fills: 'at-once', states: NAIVE_STATES });
      if (reduced === null || naive === null || !naive.complete) {
        cut += 1;
        return;
      }
      compared += 1;
      expect([...reduced].sort()).toEqual([...naive.outcomes].sort());
    }),
    { numRuns: runs, seed },
  );
  return { compared, cut };
}

const scale = process.env['TLBGATE_PROVE'] === undefined ? 1 : 10;

describe('the may-cache machine and the naive machine reach the same outcomes', () => {
  const limit = 900_000 * scale;
  let total = 0;

  test(
    'on coherent memory',
    () => {
      total += compare({ lines: false }, 2400 * scale, 1).compared;
    },
    limit,
  );

  test(
    'with cache lines and a guest that goes past them',
    () => {
      total += compare({ lines: true }, 1000 * scale, 5).compared;
    },
    limit,
  );

  test(
    'with two pages of one contiguous group',
    () => {
      const { compared } = compare({ lines: false, contiguous: true }, 150 * scale, 7);
      expect(compared).toBeGreaterThanOrEqual(50 * scale);
    },
    limit,
  );

  test('a line that is written back behind a store past the caches', () => {
    // The PoC has the older write last, and reads of it see it so.
    const plan: Plan = {
      shape: 'stage2',
      levels: 1,
      pages: 1,
      lines: true,
      cacheable: false,
      global: false,
      contiguous: false,
      initially: ['mapped'],
      features: {
        ets: 'none',
        fwb: false,
        erratumRepeatTlbi: false,
        readingTableDropByAnyIpa: true,
      },
      host: [{ kind: 'write', page: 0 }],
      guests: [
        [
          { kind: 'store', page: 0 },
          { kind: 'load', page: 0 },
          { kind: 'load', page: 0 },
        ],
      ],
      onFault: 'stop',
      foreignVmid: false,
    };
    const naive = naiveOutcomes(setupOf(plan), { fills: 'at-once', states: NAIVE_STATES });
    expect(naive.complete).toBe(true);
    expect([...(outcomesOf(setupOf(plan), true) ?? [])].sort()).toEqual([...naive.outcomes].sort());
  });

  test('on at least 2,000 scenarios', () => {
    expect(total).toBeGreaterThanOrEqual(2000 * scale);
  });
});
