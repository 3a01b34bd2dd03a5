import { DEFAULT_FEATURES, featureConflicts, type Features } from '../arm64/features.ts';
import { definitionOf } from './matrix.ts';

/**
 * Every combination of some features, the others as in `from`. Range TLBIs come with the Outer
 * Shareable forms, as the architecture has it (FEAT_TLBIRANGE needs FEAT_TLBIOS).
 */
export function gateMachines(
  matrix: readonly string[],
  from: Features = DEFAULT_FEATURES,
): readonly Features[] {
  let points: readonly Features[] = [from];
  for (const name of matrix) {
    const definition = definitionOf(name);
    points = points.flatMap((point) =>
      definition.values.map((value): Features => {
        const next = { ...point, ...definition.write(value) };
        return next.tlbiRange ? { ...next, tlbiOs: true } : next;
      }),
    );
  }
  return points
    .filter((point) => featureConflicts(point).length === 0)
    .sort((a, b) => differences(a) - differences(b));
}

/** How far a machine is from the default one: the plainest comes first. */
function differences(features: Features): number {
  return (Object.keys(DEFAULT_FEATURES) as (keyof Features)[]).filter(
    (key) => features[key] !== DEFAULT_FEATURES[key],
  ).length;
}
