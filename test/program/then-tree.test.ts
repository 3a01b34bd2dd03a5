import { describe, expect, test } from 'vitest';
import type { Effect } from '../../src/program/effect.ts';
import { generatorThread } from '../../src/program/generator-thread.ts';
import { thenTree } from '../../src/program/then-tree.ts';

const location = { file: 'test', line: 0, function: 'test', text: '' };

function ask(options: number): Effect {
  return { kind: 'choose', options, location };
}

function value(number: bigint): { readonly kind: 'value'; readonly value: bigint } {
  return { kind: 'value', value: number };
}

describe('one thread after another', () => {
  const first = generatorThread('first', function* () {
    const answer = yield ask(2);
    return answer.kind === 'value' && answer.value === 0n ? 'repeats' : 'ends';
  });
  const second = generatorThread('second', function* () {
    yield ask(3);
    return 'repeats';
  });
  const both = thenTree(first, second);

  test('the second begins where the first has ended, and not before', () => {
    expect(both.effectAt(both.root)).toMatchObject({ options: 2 });
    const again = both.next(both.root, value(0n));
    expect(again).toBe(both.root);
    const late = both.next(again, value(1n));
    expect(both.effectAt(late)).toMatchObject({ options: 3 });
    expect(both.next(late, value(0n))).toBe(late);
  });

  test('a first thread that does nothing is left out', () => {
    const after = thenTree({ ...second, effectAt: () => null }, second);
    expect(after.effectAt(after.root)).toMatchObject({ options: 3 });
  });
});
