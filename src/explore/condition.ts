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
  // Where one of two neighbours has no verdict the feature between them may matter.
  const relevant = varied.filter((name) =>
    points.some((a) =>
      points.some(
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
  const of = (features: Features): Term => relevant.map((name) => value(features, name));
  const broken = decided.filter(({ verdict }) => verdict === 'refuted').map((p) => of(p.features));
  const others = points.filter(({ verdict }) => verdict !== 'refuted').map((p) => of(p.features));
  const alternatives = cheapestTerms(broken, others).map((term) =>
    term.flatMap((word, i) => (word === null ? [] : [`${relevant[i]}=${word}`])),
  );
  return {
    refutedWhen: alternatives,
    irrelevant: varied.filter((name) => !relevant.includes(name)),
    undecided: points.length - decided.length,
    points: points.length,
  };
}

/** A value for each relevant feature; `null` where any will do. */
type Term = readonly (string | null)[];

/**
 * Few terms with few words that together say when it is broken: each is widened as long as no other
 * machine falls under it, then taken while it adds one that is broken.
 */
function cheapestTerms(broken: readonly Term[], others: readonly Term[]): readonly Term[] {
  const widened = broken.map((term) => {
    let wide = term;
    for (let i = 0; i < term.length; i += 1) {
      const wider = wide.map((word, k) => (k === i ? null : word));
      if (!others.some((point) => covers(wider, point))) wide = wider;
    }
    return wide;
  });
  const size = (term: Term): number => broken.filter((point) => covers(term, point)).length;
  const taken: Term[] = [];
  for (const term of [...widened].sort((a, b) => size(b) - size(a))) {
    const adds = broken.some(
      (point) => covers(term, point) && !taken.some((other) => covers(other, point)),
    );
    if (adds) taken.push(term);
  }
  return taken;
}

function covers(term: Term, point: Term): boolean {
  return term.every((word, i) => word === null || word === point[i]);
}
