import { expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { perPageFlush } from '../../src/candidates/unmap-stage2-range/per-page-flush.ts';
import { machineOf } from '../../src/explore/check.ts';
import { randomRun } from '../../src/explore/random.ts';
import { ALL_RULES } from '../../src/rules/all-rules.ts';
import { readReplay, writeReplay } from '../../src/scenario/replay-file.ts';
import { isInputError } from '../../src/scenario/input-error.ts';
import { defaultScenario } from '../../src/scenario/scenario.ts';
import { labelText } from '../../src/trace/label.ts';
import { labelsOf, replay } from '../../src/trace/replay.ts';

const scenario = { ...defaultScenario(perPageFlush.id, DEFAULT_FEATURES), pages: 1 };

function machine() {
  const made = machineOf(scenario, perPageFlush);
  if ('kind' in made) throw new Error(made.message);
  return made;
}

test('a run, through its file, on another machine of the same scenario: the same states', () => {
  const first = machine();
  for (let seed = 1; seed <= 20; seed += 1) {
    const { steps } = randomRun(first, seed, { hosts: 1, rules: ALL_RULES, steps: 200 });
    const text = writeReplay({ scenario, rule: null, labels: labelsOf(first, steps) });
    const file = readReplay(text, 'x');
    if (isInputError(file)) throw new Error(file.message);
    expect(writeReplay(file)).toBe(text);
    const second = machine();
    const again = replay(second, file.labels);
    if (again.kind === 'misfit') throw new Error(`step ${again.step} does not fit`);
    expect(labelsOf(second, again.steps)).toEqual(file.labels);
  }
});

test('a label that is not possible names its step and what is', () => {
  const made = machine();
  const { steps } = randomRun(made, 1, { hosts: 1, rules: ALL_RULES, steps: 60 });
  const labels = labelsOf(made, steps);
  const [first, second, ...rest] = labels;
  if (first === undefined || second === undefined) throw new Error('too short');
  const changed = [first, { ...second, what: 'DSB nowhere' }, ...rest];
  const result = replay(machine(), changed);
  expect(result).toMatchObject({ kind: 'misfit', step: 2 });
  if (result.kind === 'replayed') throw new Error('replayed');
  expect(result.enabled.map(labelText)).toContain(labelText(second));
});
