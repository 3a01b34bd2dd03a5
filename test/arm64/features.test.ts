import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  DEFAULT_FEATURES,
  FEATURE_DEFINITIONS,
  featureConflicts,
  parseFeature,
  showFeatureDifferences,
  showFeatures,
  type FeatureDefinition,
  type Features,
} from '../../src/arm64/features.ts';
import { machine } from './helpers.ts';

function set(features: Features, text: string): Features {
  const parsed = parseFeature(text);
  if (parsed.kind === 'error') throw new Error(parsed.message);
  return { ...features, ...parsed.update };
}

/** Every definition with each of its values. */
const settings: readonly (readonly [FeatureDefinition, string])[] = FEATURE_DEFINITIONS.flatMap(
  (definition) => definition.values.map((value) => [definition, value] as const),
);

test('the table has one row for each field, with a name of its own', () => {
  const keys = FEATURE_DEFINITIONS.map((definition) => definition.key);
  expect(new Set<string>(keys)).toEqual(new Set(Object.keys(DEFAULT_FEATURES)));
  expect(keys).toHaveLength(Object.keys(DEFAULT_FEATURES).length);
  const names = FEATURE_DEFINITIONS.map((definition) => definition.name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
});

test('every value of every feature can be written, is then read back, and touches its key', () => {
  for (const [definition, value] of settings) {
    const parsed = parseFeature(`${definition.name}=${value}`);
    if (parsed.kind === 'error') throw new Error(parsed.message);
    expect(definition.read({ ...DEFAULT_FEATURES, ...parsed.update })).toBe(value);
    expect(Object.keys(parsed.update)).toContain(definition.key);
  }
});

test('only vhe touches a second field: e2h follows it, and hVHE is asked for afterwards', () => {
  const wide = settings.filter(([definition, value]) => {
    const update = definition.write(value);
    return update !== null && Object.keys(update).length !== 1;
  });
  expect(new Set(wide.map(([definition]) => definition.name))).toEqual(new Set(['vhe']));
  const nvhe = set(DEFAULT_FEATURES, 'vhe=off');
  expect(nvhe).toMatchObject({ vhe: false, e2h: false });
  expect(featureConflicts(set(nvhe, 'e2h=on'))).toEqual([]);
});

test('what is shown can be parsed back to the same record', () => {
  const values = FEATURE_DEFINITIONS.map((definition) =>
    fc.constantFrom(...definition.values).map((value) => `${definition.name}=${value}`),
  );
  fc.assert(
    fc.property(fc.tuple(...values), (texts) => {
      const features = texts.reduce(set, DEFAULT_FEATURES);
      expect(showFeatures(features)).toBe(texts.join(' '));
      const words = showFeatureDifferences(features).split(' ').filter(Boolean);
      expect(words.reduce(set, DEFAULT_FEATURES)).toEqual(features);
    }),
  );
  expect(showFeatureDifferences(DEFAULT_FEATURES)).toBe('');
});

test('mistakes are one sentence that names what is wrong and what is allowed', () => {
  expect(parseFeature('fwb')).toMatchObject({ kind: 'error', code: 'feature-syntax' });
  expect(parseFeature('fwb=on=off')).toMatchObject({ kind: 'error', code: 'feature-syntax' });
  expect(parseFeature('fbw=on')).toMatchObject({ kind: 'error', code: 'feature-unknown' });
  expect(parseFeature('granule=8k')).toEqual({
    kind: 'error',
    code: 'feature-value',
    message: 'Feature granule cannot be "8k"; the allowed values are 4k, 16k, 64k.',
  });
  expect(parseFeature('fwb=true')).toMatchObject({ kind: 'error', code: 'feature-value' });
});

test('asking for something the machine does not model is answered with a note', () => {
  for (const [definition, value] of settings) {
    const parsed = parseFeature(`${definition.name}=${value}`);
    if (parsed.kind === 'error') throw new Error(parsed.message);
    const silent =
      definition.model.kind === 'modelled' || value === definition.read(DEFAULT_FEATURES);
    expect(parsed.note === null).toBe(silent);
  }
});

test('the default machine is consistent; impossible ones are refused with the missing feature', () => {
  const conflicts = (some: Partial<Features>): string =>
    featureConflicts(machine(some))
      .map((conflict) => conflict.message)
      .join(' ');
  expect(conflicts({})).toBe('');
  expect(conflicts({ ipaBits: 52 })).toContain('needs lpa2=on');
  expect(conflicts({ ipaBits: 52, lpa2: true })).toBe('');
  expect(conflicts({ ipaBits: 52, granule: '16k' })).toContain('needs lpa2=on');
  expect(conflicts({ ipaBits: 52, granule: '64k' })).toContain('needs lpa=on');
  expect(conflicts({ ipaBits: 52, granule: '64k', lpa: true })).toBe('');
  expect(conflicts({ vaBits: 52, granule: '64k', lpa: true })).toContain('needs lva=on');
  expect(conflicts({ vaBits: 52 })).toContain('needs lpa2=on');
  expect(conflicts({ granule: '64k', lpa2: true })).toContain('lpa2=on');
  expect(conflicts({ vhe: true, e2h: false })).toContain('needs e2h=on');
  expect(conflicts({ tlbiRange: true })).toContain('needs tlbi-os=on');
  expect(conflicts({ erratumCnpLocalTlbi: true })).toContain('cnp=on');
});
