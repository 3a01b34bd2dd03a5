import { KNOWN_FAILURES, type KnownFailure } from '../properties/support/known-failures.ts';
import { randomRun, randomSearch, STRATEGIES, type WalkOptions } from '../src/explore/random.ts';
import { looksForLivelocks } from '../src/explore/livelock.ts';
import { rounds } from '../src/explore/strategy/rounds.ts';
import type { Strategy } from '../src/explore/strategy/strategy.ts';
import { uniform } from '../src/explore/strategy/uniform.ts';
import { createMachine } from '../src/machine/machine.ts';
import { ALL_RULES } from '../src/rules/all-rules.ts';
import { buildSetup } from '../src/scenario/build.ts';
import type { Scenario } from '../src/scenario/scenario.ts';

/** How soon random schedules break a rule, for one broken variant; medians over seeds. */
export interface FirstFind {
  readonly variant: string;
  /** The rule it is expected to break; another one may break first. */
  readonly rule: string;
  readonly seeds: number;
  /** Searches that ended with a find. */
  readonly found: number;
  readonly runs: number;
  readonly ms: number;
  /** Of ten searches nine are not slower. */
  readonly ms90: number;
}

/** Milliseconds after which a search counts as missed. */
const MOST_MS = 3000;

/**
 * The scenario that a variant's expectation asks for, at another size. Where pages are mapped the fault
 * path beside the notifier is walked only when the store of the notifier's count is late, behind a
 * store for each page: more in flight than a window holds with more than one page (an exhaustive search
 * says the same). Of several pages none is mapped yet, as in the library's scenario for that.
 */
function scenarioOf(
  { scenario, refutation }: KnownFailure,
  vcpus: number,
  pages: number,
): Scenario {
  const size = { ...scenario, vcpus, pages };
  return refutation.needs.includes('notified-fault-path') ? { ...size, mapping: 'unmapped' } : size;
}

/**
 * Every broken variant of the catalogue at one size. `cpu`: milliseconds of processor time; `onRow` is
 * told each row when it is there.
 */
export function firstFinds(
  cpu: () => number,
  vcpus: number,
  pages: number,
  seeds: number,
  onRow: (row: FirstFind) => void,
): readonly FirstFind[] {
  return KNOWN_FAILURES.map((failure) => {
    const row = find(cpu, failure, vcpus, pages, seeds, {});
    onRow(row);
    return row;
  });
}

function find(
  cpu: () => number,
  failure: KnownFailure,
  vcpus: number,
  pages: number,
  seeds: number,
  how: Pick<WalkOptions, 'strategies' | 'biased'>,
): FirstFind {
  const scenario = scenarioOf(failure, vcpus, pages);
  const times: number[] = [];
  const runs: number[] = [];
  let found = 0;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const start = cpu();
    // A machine of its own: what it costs to build, and that it remembers nothing yet, is counted.
    const result = randomSearch(createMachine(buildSetup(scenario, failure.candidate)), seed, {
      ...how,
      hosts: scenario.hosts,
      rules: ALL_RULES,
      livelocks: looksForLivelocks(scenario),
      runs: Number.MAX_SAFE_INTEGER,
      enough: () => cpu() - start > MOST_MS,
    });
    times.push(cpu() - start);
    runs.push(result.runs);
    if (result.found !== null) found += 1;
  }
  return {
    variant: failure.candidate.id.replace('unmap-stage2-range/', ''),
    rule: failure.rule.id,
    seeds,
    found,
    runs: quantile(runs, 0.5),
    ms: quantile(times, 0.5),
    ms90: quantile(times, 0.9),
  };
}

/** What one strategy alone does with all variants. */
export interface StrategyRow {
  readonly strategy: string;
  /** Variants found from every seed, and variants found from none. */
  readonly always: number;
  readonly never: number;
  readonly variants: number;
  /** Median over the variants of their median times, in milliseconds. */
  readonly ms: number;
}

/** The strategies, and what there would be without any. */
export function strategyRows(
  cpu: () => number,
  vcpus: number,
  pages: number,
  seeds = 3,
): readonly StrategyRow[] {
  const ways: readonly (readonly [string, readonly Strategy[], boolean])[] = [
    ...[...STRATEGIES, rounds].map((strategy) => [strategy.name, [strategy], true] as const),
    ['one of them, all alike', STRATEGIES, true],
    ['one of them, no bias', STRATEGIES, false],
    ['uniform, no bias', [uniform], false],
  ];
  return ways.map(([strategy, strategies, biased]) => {
    const rows = KNOWN_FAILURES.map((failure) =>
      find(cpu, failure, vcpus, pages, seeds, { strategies, biased }),
    );
    return {
      strategy,
      always: rows.filter(({ found }) => found === seeds).length,
      never: rows.filter(({ found }) => found === 0).length,
      variants: rows.length,
      ms: quantile(
        rows.map(({ ms }) => ms),
        0.5,
      ),
    };
  });
}

/** What single runs of one strategy come to, over all variants. */
export interface HitRow {
  readonly strategy: string;
  /** Runs that break a rule, in percent: of the variant with the fewest, in the middle, of that with most. */
  readonly least: number;
  readonly median: number;
  readonly most: number;
  /** Variants that no run hits. */
  readonly never: number;
  readonly variants: number;
  /** Runs and steps in a second, of all variants together, each on one machine that remembers. */
  readonly runsPerSecond: number;
  readonly stepsPerSecond: number;
}

/** How many runs of each variant break a rule, by strategy. */
export function hitRows(
  cpu: () => number,
  vcpus: number,
  pages: number,
  runs: number,
): readonly HitRow[] {
  const ways: readonly (readonly [string, Pick<WalkOptions, 'strategies' | 'biased'>])[] = [
    ['the mixture', {}],
    ...[...STRATEGIES, rounds].map((each) => [each.name, { strategies: [each] }] as const),
    ['uniform, no bias', { strategies: [uniform], biased: false }],
  ];
  return ways.map(([strategy, how]) => {
    let steps = 0;
    const start = cpu();
    const rates = KNOWN_FAILURES.map((failure) => {
      const scenario = scenarioOf(failure, vcpus, pages);
      const machine = createMachine(buildSetup(scenario, failure.candidate));
      const livelocks = looksForLivelocks(scenario);
      const options = { ...how, hosts: scenario.hosts, rules: ALL_RULES, livelocks };
      let hits = 0;
      for (let seed = 1; seed <= runs; seed += 1) {
        const run = randomRun(machine, seed, options);
        steps += run.length;
        if (run.violation !== null) hits += 1;
      }
      return (100 * hits) / runs;
    });
    const seconds = (cpu() - start) / 1000;
    return {
      strategy,
      least: Math.min(...rates),
      median: quantile(rates, 0.5),
      most: Math.max(...rates),
      never: rates.filter((rate) => rate === 0).length,
      variants: rates.length,
      runsPerSecond: (runs * rates.length) / seconds,
      stepsPerSecond: steps / seconds,
    };
  });
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
