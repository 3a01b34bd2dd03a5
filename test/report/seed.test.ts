import { expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { deferredRangeFlush } from '../../src/candidates/unmap-stage2-range/deferred-range-flush.ts';
import { findCounterexample } from '../../src/explore/counterexample-search.ts';
import { counterexample } from '../../src/report/counterexample.ts';
import { headerText, keyText, runText } from '../../src/report/counterexample-text.ts';
import { PLAIN } from '../../src/report/style.ts';
import { contentsAfterReturn } from '../../src/rules/contents-after-return.ts';
import { defaultScenario } from '../../src/scenario/scenario.ts';

test('the run of seed.md 1.6, in six steps, proved minimal', async () => {
  const scenario = defaultScenario(deferredRangeFlush.id, DEFAULT_FEATURES);
  const found = findCounterexample(scenario, deferredRangeFlush, contentsAfterReturn, {
    states: 300_000,
  });
  if (found === null) throw new Error('not refuted');
  expect(found.minimal).toBe(true);
  const example = counterexample(deferredRangeFlush, contentsAfterReturn, found);
  const steps = example.rows.filter(({ number }) => number !== null).map(({ text }) => text);
  expect(steps).toEqual([
    'kvm_set_pte(pte, 0)',
    'kvm_flush_dcache(old)',
    'speculative fill through the linear map',
    'write 1 to 0x40000000',
    'kvm_tlb_flush_vmid_range(start, end)',
    'read through the linear map',
  ]);
  expect(example.spans.map(({ at }) => at.line)).toEqual([275, 279, 359]);
  const text = [
    ...headerText(example, PLAIN),
    '',
    ...runText(example, PLAIN),
    '',
    ...keyText(example, PLAIN),
  ].join('\n');
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(86);
  expect(/^[\x20-\x7e\n]*$/.test(text)).toBe(true);
  await expect(`${text}\n`).toMatchFileSnapshot('seed.report.txt');
});
