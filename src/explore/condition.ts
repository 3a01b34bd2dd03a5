import type { Features } from '../arm64/features.ts';
import type { Verdict } from './check.ts';
import { definitionOf } from './matrix.ts';

/** On which hardware a rule is broken, as far as the points looked at tell. */
export interface Condition {
  /** Alternatives, each a conjunction of `name=value`; `[[]]` is "always". */
  readonly refutedWhen: readonly (readonly string[])[];
  /** Features of the matrix that do not change the verdict. */
  readonly irrelevant: readonly string[];
  /** Points without a verdict. */
  readonly undecided: number;
  /** Points looked at. */
  readonly points: number;
}

/** One point of a matrix and what was found there. */
export interface Point {
  readonly features: Features;
  readonly verdict: Verdict;
}

/** The weakest condition on the named features under which a rule is broken. */
export function weakestCondition(points: readonly Point[], names: readonly string[]): Condition {
  const decided = points.filter(({ verdict }) => verdict !== 'inconclusive');
  const value = (features: Features, name: string): string => definitionOf(name).read(features);
  const varied = names.filter(
    (name) => new Set(points.map(({ features }) => value(features, name))).size > 1,
  );
  const relevant = varied.filter((name) =>
    decided.some((a) =>
      decided.some(
        (b) =>
          a.verdict !== b.verdict &&
          varied.every((other) =>
            other === name
              ? value(a.features, other) !== value(b.features, other)
              : value(a.features, other) === value(b.features, other),
          ),
      ),
    ),
  );
  const alternatives = new Map<string, readonly string[]>();
  for (const { features, verdict } of decided) {
    if (verdict !== 'refuted') continue;
    const words = relevant.map((name) => `${name}=${value(features, name)}`);
    alternatives.set(words.join(' '), words);
  }
  return {
    refutedWhen: [...alternatives.values()],
    irrelevant: varied.filter((name) => !relevant.includes(name)),
    undecided: points.length - decided.length,
    points: points.length,
  };
}
