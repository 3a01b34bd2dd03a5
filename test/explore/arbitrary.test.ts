import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { deferredRangeFlush } from '../../src/candidates/unmap-stage2-range/deferred-range-flush.ts';
import { runArbitrary, type RunCase } from '../../src/explore/arbitrary.ts';
import { scenarioArbitrary } from '../../src/explore/scenario-arbitrary.ts';
import { costOf } from '../../src/explore/scenario-cost.ts';
import { minimalRun } from '../../src/explore/minimal-run.ts';
import { createMachine, type Machine } from '../../src/machine/machine.ts';
import { contentsAfterReturn } from '../../src/rules/contents-after-return.ts';
import { firstViolation } from '../../src/rules/rule.ts';
import { buildSetup } from '../../src/scenario/build.ts';
import { compareCosts } from '../../src/trace/cost.ts';
import { labelOf, labelText } from '../../src/trace/label.ts';
import { sameLabel } from '../../src/trace/lenient.ts';

const RULES = [contentsAfterReturn];

function seedRuns(most: number): fc.Arbitrary<RunCase> {
  const scenarios = scenarioArbitrary({
    candidate: deferredRangeFlush.id,
    features: fc.constant(DEFAULT_FEATURES),
    vcpus: { min: 1, max: most },
    pages: { min: 1, max: most },
  });
  return runArbitrary(scenarios, { candidateOf: () => deferredRangeFlush, rules: RULES });
}

function machineOf({ scenario }: RunCase): Machine {
  return createMachine(buildSetup(scenario, deferredRangeFlush));
}

/** Strict replay: every label must fit at its turn; returns the rule broken by the last step. */
function replayStrictly(value: RunCase): string | null {
  const machine = machineOf(value);
  let state = machine.initial;
  let broken: string | null = null;
  for (const label of value.trace) {
    expect(broken).toBeNull();
    const step = machine
      .transitions(state)
      .find((t) => sameLabel(labelOf(machine, state, t), label));
    if (step === undefined) throw new Error(`does not fit: ${labelText(label)}`);
    broken = firstViolation(RULES, step.facts)?.rule.id ?? null;
    state = step.next;
  }
  return broken;
}

/** A refutation, as found, before any shrinking. */
function refutation(seed: number, most = 2): RunCase {
  const found = fc
    .sample(seedRuns(most), { seed, numRuns: 120 })
    .find(({ broken }) => broken !== null);
  if (found === undefined) throw new Error(`seed ${seed} finds nothing`);
  return found;
}

describe('runs as values', () => {
  test('same seed, same value', () => {
    const draw = (): RunCase[] => fc.sample(seedRuns(2), { seed: 11, numRuns: 6 });
    expect(draw()).toEqual(draw());
  });

  test('a generated value replays strictly and breaks the rule it says', () => {
    for (const value of fc.sample(seedRuns(2), { seed: 12, numRuns: 12 })) {
      expect(replayStrictly(value)).toBe(value.broken);
    }
  });

  test('a value survives JSON', () => {
    const [value] = fc.sample(seedRuns(2), { seed: 13, numRuns: 1 });
    expect(JSON.parse(JSON.stringify(value))).toEqual(value);
  });
});

describe('the shrinker', () => {
  test('makes only cheaper values, which replay strictly and break the same rule', () => {
    const arbitrary = seedRuns(2);
    const value = refutation(21);
    const cost = costOf(value.scenario, value.trace);
    let shrinks = 0;
    for (const { value: smaller } of arbitrary.shrink(value, undefined).take(25)) {
      shrinks += 1;
      expect(compareCosts(costOf(smaller.scenario, smaller.trace), cost)).toBeLessThan(0);
      expect(smaller.broken).toBe(value.broken);
      expect(replayStrictly(smaller)).toBe(value.broken);
    }
    expect(shrinks).toBeGreaterThan(3);
  });

  test('needs no context: a stored example shrinks as well', () => {
    const stored: unknown = JSON.parse(JSON.stringify(refutation(22)));
    const arbitrary = seedRuns(2);
    if (!arbitrary.canShrinkWithoutContext(stored)) throw new Error('refused');
    const [first] = arbitrary.shrink(stored, undefined).take(1);
    expect(first?.value.broken).toBe(stored.broken);
    expect(arbitrary.canShrinkWithoutContext({ scenario: 1 })).toBe(false);
  });

  test('has nothing to do for a run that broke no rule', () => {
    const value = { ...refutation(23), broken: null };
    expect([...seedRuns(2).shrink(value, undefined)]).toEqual([]);
  });
});

/** The cheapest run of a scenario, which does not depend on how the scenario was found. */
function canonical(value: RunCase): string[] {
  const machine = machineOf(value);
  const limits = { states: 200_000 };
  const result = minimalRun(machine, deferredRangeFlush, contentsAfterReturn, limits);
  if (result.kind !== 'run') throw new Error('the shrunk scenario is not refuted');
  let state = machine.initial;
  return result.steps.map((t) => {
    const text = labelText(labelOf(machine, state, t));
    state = t.next;
    return text;
  });
}

test('the refutation of the seed shrinks to one minimum from ten random seeds', () => {
  const minima = Array.from({ length: 10 }, (_, i) => {
    const property = fc.property(seedRuns(2), ({ broken }) => broken === null);
    const { counterexample } = fc.check(property, { seed: 100 + i, numRuns: 200 });
    const value = counterexample?.[0];
    if (value === undefined) throw new Error(`seed ${100 + i} finds nothing`);
    return value;
  });
  const [first, ...others] = minima;
  if (first === undefined) throw new Error('no minimum');
  expect(first.scenario).toMatchObject({
    guest: { kind: 'trace', vcpus: [[{ access: 'write', page: 0 }]] },
    vcpus: 1,
    pages: 1,
    mapping: 'page',
    layout: 'adjacent',
    keepTables: true,
    range: 'tight',
    view: 'mmu-off',
    faults: 'ignored',
    secondVm: false,
    afterwards: 'read',
    reschedule: 'never',
    window: 1,
  });
  for (const other of others) expect(other.scenario).toEqual(first.scenario);
  const run = canonical(first);
  expect(run.at(-1)).toMatch(/^cpu0 \| read \| load 0x80000000 .* value 0x0$/);
  for (const other of others) expect(canonical(other)).toEqual(run);
});
