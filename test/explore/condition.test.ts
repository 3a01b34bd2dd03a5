import { expect, test } from 'vitest';
import { weakestCondition } from '../../src/explore/condition.ts';
import { featureMatrix, MATRIX_FEATURES } from '../../src/explore/matrix.ts';
import type { Features } from '../../src/arm64/features.ts';

const when = (broken: (features: Features) => boolean) =>
  weakestCondition(
    featureMatrix().map((features) => ({
      features,
      verdict: broken(features) ? ('refuted' as const) : ('verified' as const),
    })),
    MATRIX_FEATURES,
  );

test('one feature decides, the others do not matter', () => {
  expect(when(({ fwb }) => !fwb)).toMatchObject({
    refutedWhen: [['fwb=off']],
    irrelevant: ['vhe', 'granule'],
  });
});

test('always, never, and two features at a time', () => {
  expect(when(() => true).refutedWhen).toEqual([[]]);
  expect(when(() => false).refutedWhen).toEqual([]);
  const two = when(({ fwb, granule }) => !fwb && granule === '64k');
  expect(two.refutedWhen).toEqual([['fwb=off', 'granule=64k']]);
  expect(two.irrelevant).toEqual(['vhe']);
});

test('alternatives are as short as the machines looked at allow', () => {
  const { refutedWhen } = when(({ fwb, vhe }) => !fwb || !vhe);
  expect(refutedWhen).toEqual([['vhe=off'], ['fwb=off']]);
});

test('where a neighbour has no verdict, the feature between them may matter', () => {
  const { refutedWhen, irrelevant, undecided } = weakestCondition(
    featureMatrix().map((features) => ({
      features,
      verdict: features.fwb ? ('refuted' as const) : ('inconclusive' as const),
    })),
    MATRIX_FEATURES,
  );
  expect(refutedWhen).toEqual([['fwb=on']]);
  expect(irrelevant).toEqual(['vhe', 'granule']);
  expect(undecided).toBe(6);
});
