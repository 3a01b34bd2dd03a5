import { DEFAULT_FEATURES } from '../src/arm64/features.ts';
import { deferredRangeFlush } from '../src/candidates/unmap-stage2-range/deferred-range-flush.ts';
import { randomRun, randomSearch, STRATEGIES } from '../src/explore/random.ts';
import { uniform } from '../src/explore/strategy/uniform.ts';
import { createMachine, type Machine } from '../src/machine/machine.ts';
import { ALL_RULES } from '../src/rules/all-rules.ts';
import { buildSetup } from '../src/scenario/build.ts';
import { defaultScenario } from '../src/scenario/scenario.ts';

/** One row of the table of random exploration. */
export interface RandomRow {
  /** vCPUs x pages. */
  readonly size: string;
  /** Strategy, or `all` for one drawn per run, each search on a machine that has cached nothing. */
  readonly strategy: string;
  /** Share of runs that break a rule, in percent. */
  readonly hitRate: number;
  readonly stepsPerRun: number;
  readonly stepsPerSecond: number;
  readonly runsPerSecond: number;
  /** Milliseconds to the first counterexample: mean for a strategy, median for `all`. */
  readonly msPerFind: number;
}

const SIZES = [
  [1, 1],
  [1, 2],
  [2, 2],
  [3, 3],
  [4, 6],
] as const;

function machineOf(vcpus: number, pages: number): Machine {
  const scenario = defaultScenario(deferredRangeFlush.id, DEFAULT_FEATURES);
  return createMachine(buildSetup({ ...scenario, vcpus, pages }, deferredRangeFlush));
}

/** Random walks over the seed without FWB, general guest: `now` is a clock in milliseconds. */
export function randomRows(now: () => number, runs = 300, searches = 25): readonly RandomRow[] {
  const options = { hosts: 1, rules: ALL_RULES };
  const rows: RandomRow[] = [];
  for (const [vcpus, pages] of SIZES) {
    const size = `${vcpus} x ${pages}`;
    for (const strategy of [...STRATEGIES, uniform]) {
      const machine = machineOf(vcpus, pages);
      let hits = 0;
      let steps = 0;
      const start = now();
      for (let seed = 0; seed < runs; seed += 1) {
        const run = randomRun(machine, seed, { ...options, strategies: [strategy] });
        steps += run.length;
        if (run.violation !== null) hits += 1;
      }
      const ms = now() - start;
      rows.push(row(size, strategy.name, { hits, runs, steps, ms, msPerFind: ms / hits }));
    }
    const times: number[] = [];
    let allRuns = 0;
    let steps = 0;
    for (let seed = 0; seed < searches; seed += 1) {
      const start = now();
      const result = randomSearch(machineOf(vcpus, pages), seed, { ...options, runs: 10_000 });
      times.push(now() - start);
      allRuns += result.runs;
      steps += result.steps;
    }
    const ms = times.reduce((sum, time) => sum + time, 0);
    times.sort((a, b) => a - b);
    const msPerFind = times[times.length >> 1] ?? 0;
    rows.push(row(size, 'all', { hits: searches, runs: allRuns, steps, ms, msPerFind }));
  }
  return rows;
}

function row(
  size: string,
  strategy: string,
  from: {
    readonly hits: number;
    readonly runs: number;
    readonly steps: number;
    readonly ms: number;
    readonly msPerFind: number;
  },
): RandomRow {
  return {
    size,
    strategy,
    hitRate: (100 * from.hits) / from.runs,
    stepsPerRun: from.steps / from.runs,
    stepsPerSecond: (1000 * from.steps) / from.ms,
    runsPerSecond: (1000 * from.runs) / from.ms,
    msPerFind: from.msPerFind,
  };
}
