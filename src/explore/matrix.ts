import {
  DEFAULT_FEATURES,
  featureConflicts,
  FEATURE_DEFINITIONS,
  type FeatureDefinition,
  type Features,
} from '../arm64/features.ts';

/** Features whose combinations are all checked when the user names none. */
export const MATRIX_FEATURES = ['fwb', 'vhe', 'granule'] as const;

/** Part of the machine, of an erratum or of a reading: never varied unless asked for. */
const NOT_VARIED = /^(erratum|reading)-|^(fwb|vhe|e2h|granule|va-bits)$/;

/** Values that stand for the others of a feature with many. */
const VARIED_VALUES: { readonly [name: string]: readonly string[] } = { 'ipa-bits': ['48'] };

/** Every combination of the matrix features. */
export function featureMatrix(): readonly Features[] {
  let points: readonly Features[] = [DEFAULT_FEATURES];
  for (const name of MATRIX_FEATURES) {
    const definition = definitionOf(name);
    points = points.flatMap((point) =>
      definition.values.map((value) => ({ ...point, ...definition.write(value) })),
    );
  }
  return points;
}

/** One feature changed, at two points of the matrix: with and without FWB. */
export interface Variation {
  /** `icache=vpipt`. */
  readonly word: string;
  readonly points: readonly Features[];
}

/**
 * Single changes of the features in `read`, the others of the matrix at their defaults. A change that
 * means something only beside another one (vpipt and nVHE) is made with it.
 */
export function variations(read: ReadonlySet<keyof Features>): readonly Variation[] {
  return variedDefinitions()
    .filter(({ key }) => read.has(key))
    .flatMap((definition) => {
      const values = VARIED_VALUES[definition.name] ?? definition.values;
      return values
        .filter((value) => value !== definition.read(DEFAULT_FEATURES))
        .map((value) => ({
          word: `${definition.name}=${value}`,
          points: [false, true]
            .map((fwb): Features => ({
              ...DEFAULT_FEATURES,
              fwb,
              ...(definition.name === 'icache' ? { vhe: false, e2h: false } : {}),
              ...(definition.name === 'tlbi-range' ? { tlbiOs: true } : {}),
              ...definition.write(value),
            }))
            .filter((features) => featureConflicts(features).length === 0),
        }));
    })
    .filter(({ points }) => points.length > 0);
}

/** Features that may be varied but were not read, so that they cannot matter. */
export function unreadFeatures(read: ReadonlySet<keyof Features>): readonly string[] {
  return variedDefinitions()
    .filter(({ key }) => !read.has(key))
    .map(({ name }) => name);
}

function variedDefinitions(): readonly FeatureDefinition[] {
  return FEATURE_DEFINITIONS.filter(
    ({ name, model }) => !NOT_VARIED.test(name) && model.kind === 'modelled',
  );
}

/** Definition of a feature by its command-line name. */
export function definitionOf(name: string): FeatureDefinition {
  const found = FEATURE_DEFINITIONS.find((definition) => definition.name === name);
  if (found === undefined) throw new RangeError(`no feature ${name}`);
  return found;
}
