import { KNOWN_FAILURES, type KnownFailure } from '../properties/support/known-failures.ts';
import { randomSearch, STRATEGIES, type WalkOptions } from '../src/explore/random.ts';
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
 * The scenario a variant is known to fail in, at another size. `install-without-lock` needs the
 * store of the notifier's count to be late, behind a store for each page: more in flight than a
 * window of 8 holds with more than one page (an exhaustive search says the same).
 */
function scenarioOf({ scenario, file }: KnownFailure, vcpus: number, pages: number): Scenario {
  const window = file.includes('install-without-lock') ? 24 : scenario.window;
  return { ...scenario, vcpus, pages, window };
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
    // A machine of its own: what it costs to build, and that it knows nothing yet, is counted.
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
    ['one of them, drawn', STRATEGIES, true],
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

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
