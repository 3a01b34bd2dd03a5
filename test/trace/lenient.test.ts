import { describe, expect, test } from 'vitest';
import { randomSearch } from '../../src/explore/random.ts';
import { contentsAfterReturn } from '../../src/rules/contents-after-return.ts';
import type { Fact } from '../../src/machine/facts.ts';
import { firstViolation, type Violation } from '../../src/rules/rule.ts';
import { labelOf, type Label } from '../../src/trace/label.ts';
import { replayLenient } from '../../src/trace/lenient.ts';
import { normalise } from '../../src/trace/normalise.ts';
import { traceCost } from '../../src/trace/cost.ts';
import { seedMachine } from '../explore/seed-machine.ts';

const machine = seedMachine();
const violation = (facts: readonly Fact[]): Violation | null =>
  firstViolation([contentsAfterReturn], facts);
const options = { hosts: 1, violation };

function foundLabels(): readonly Label[] {
  const { found } = randomSearch(machine, 1, {
    hosts: 1,
    rules: [contentsAfterReturn],
    runs: 500,
  });
  if (found === null) throw new Error('nothing found');
  let state = machine.initial;
  return found.run.steps.map((t) => {
    const label = labelOf(machine, state, t);
    state = t.next;
    return label;
  });
}

describe('lenient replay', () => {
  const labels = foundLabels();

  test('of a whole run is that run', () => {
    const replayed = replayLenient(machine, labels, options);
    expect(replayed.labels).toEqual(labels);
    expect(replayed.skipped).toBe(0);
    expect(replayed.violation?.rule.id).toBe('contents-after-return');
  });

  test('skips labels that do not fit', () => {
    const noise: Label = { agent: 'cpu0', event: 'do', what: 'nothing', where: '', choice: '' };
    const noisy = labels.flatMap((label) => [noise, label]);
    const replayed = replayLenient(machine, noisy, options);
    expect(replayed.labels).toEqual(labels);
    expect(replayed.skipped).toBe(labels.length);
  });

  test('tells what was taken, where it is alike and not the same', () => {
    // Built from other descriptors, as in another scenario: the translation will do.
    const moved = labels.map((label) =>
      label.event === 'translate'
        ? { ...label, choice: label.choice.replace(/\(.*\)/, '(0x0=0x0)') }
        : label,
    );
    expect(moved).not.toEqual(labels);
    const replayed = replayLenient(machine, moved, options);
    expect(replayed.skipped).toBe(0);
    let state = machine.initial;
    const own = replayed.steps.map((t) => {
      const label = labelOf(machine, state, t);
      state = t.next;
      return label;
    });
    expect(replayed.labels).toEqual(own);
  });

  test('finishes a run that was cut off, and comes to an end also where a guest repeats', () => {
    const replayed = replayLenient(machine, labels.slice(0, 20), {
      ...options,
      violation: () => null,
    });
    expect(replayed.labels.length).toBeGreaterThan(60);
    expect(replayed.labels.length).toBeLessThan(600);
  });

  test('a normalised run breaks the same rule and is not dearer', () => {
    const run = replayLenient(machine, labels, options);
    const calm = normalise(machine, run.steps, run.labels);
    const again = replayLenient(machine, calm, { ...options, finish: 0 });
    expect(again.skipped).toBe(0);
    expect(again.violation?.rule.id).toBe('contents-after-return');
    expect(calm.length).toBeLessThanOrEqual(labels.length);
    expect(traceCost(calm)[0]).toBeLessThan(traceCost(labels)[0]);
  });
});
