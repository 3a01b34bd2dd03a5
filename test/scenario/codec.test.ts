import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES, FEATURE_DEFINITIONS, type Features } from '../../src/arm64/features.ts';
import { readScenario, writeScenario } from '../../src/scenario/codec.ts';
import { PLAIN_FIELDS, PLAIN_FIELD_NAMES, type FieldShape } from '../../src/scenario/fields.ts';
import { isInputError } from '../../src/scenario/input-error.ts';
import { defaultScenario, type Scenario } from '../../src/scenario/scenario.ts';

const base = defaultScenario('a/b', DEFAULT_FEATURES);

const plainValue = (shape: FieldShape): fc.Arbitrary<unknown> => {
  switch (shape.kind) {
    case 'choice':
      return fc.constantFrom(...shape.values);
    case 'integer':
      return fc.integer({ min: shape.least, max: shape.most });
    case 'flag':
      return fc.boolean();
  }
};

const access = fc.constantFrom('read', 'write', 'execute');
const scenarios: fc.Arbitrary<Scenario> = fc
  .record({
    plain: fc.record(
      Object.fromEntries(PLAIN_FIELD_NAMES.map((name) => [name, plainValue(PLAIN_FIELDS[name])])),
    ),
    features: fc.record({
      fwb: fc.boolean(),
      vhe: fc.boolean(),
      granule: fc.constantFrom('4k', '16k', '64k'),
      bbm: fc.constantFrom(0, 1, 2),
    }),
    guest: fc.oneof(
      fc.record({ kind: fc.constant('general'), kinds: fc.array(access, { minLength: 1 }) }),
      fc.record({
        kind: fc.constant('trace'),
        vcpus: fc.array(fc.array(fc.record({ access, page: fc.nat(5) }))),
      }),
      fc.record({ kind: fc.constant('persistent'), access }),
    ),
  })
  .map(({ plain, features, guest }) => {
    const machine = { ...DEFAULT_FEATURES, ...features, e2h: features.vhe } as Features;
    return { ...base, ...plain, guest, features: machine } as Scenario;
  });

describe('the codec of scenarios', () => {
  test('what is written is read again, and written the same', () => {
    fc.assert(
      fc.property(scenarios, (scenario) => {
        const text = writeScenario(scenario);
        const read = readScenario(text, 'x');
        expect(read).toEqual(scenario);
        if (!isInputError(read)) expect(writeScenario(read)).toBe(text);
      }),
    );
  });

  test('a candidate is enough: the rest has the values of the default', () => {
    expect(readScenario('{"format": 1, "candidate": "a/b"}', 'x')).toEqual(base);
  });

  const bad: readonly (readonly [string, string, string])[] = [
    ['', 'json-syntax', 'not valid JSON'],
    ['[1]', 'not-an-object', 'one JSON object'],
    ['{}', 'format-unknown', 'no "format" field'],
    ['{"format": 2}', 'format-unknown', 'format 2'],
    ['{"format": 1}', 'field-missing', '"candidate"'],
    ['{"format": 1, "candidate": "a", "vcpu": 2}', 'field-unknown', 'Did you mean "vcpus"?'],
    ['{"format": 1, "candidate": "a", "vcpus": 0}', 'field-value', 'from 1 to 6'],
    ['{"format": 1, "candidate": "a", "view": "red"}', 'field-value', 'mmu-off'],
    ['{"format": 1, "candidate": "a", "secondVm": 1}', 'field-value', 'true or false'],
    ['{"format": 1, "candidate": "a", "features": 3}', 'field-value', '"features"'],
    ['{"format": 1, "candidate": "a", "features": {"fbw": "on"}}', 'feature-unknown', 'fbw'],
    ['{"format": 1, "candidate": "a", "features": {"fwb": "x"}}', 'feature-value', 'fwb'],
    [
      '{"format": 1, "candidate": "a", "features": {"ipa-bits": 52}}',
      'feature-conflict',
      'needs lpa2=on',
    ],
    [
      '{"format": 1, "candidate": "a", "features": {"cnp": "on"}}',
      'feature-not-modelled',
      'shared between PEs',
    ],
    ['{"format": 1, "candidate": "a", "guest": {"kind": "x"}}', 'field-value', 'general'],
    ['{"format": 1, "candidate": "a", "guest": {"kind": "trace"}}', 'field-value', '"vcpus"'],
  ];
  test.each(bad)('%s is refused in one sentence', (text, code, part) => {
    const result = readScenario(text, 'file.json');
    expect(result).toMatchObject({ kind: 'error', code });
    if (!isInputError(result)) throw new Error('accepted');
    expect(result.message).toContain(part);
    expect(result.message).toContain('file.json');
    expect(result.message).not.toContain('\n');
  });

  test('any cut of a file is refused or read, never thrown at the user', () => {
    const text = writeScenario(base);
    for (let end = 0; end < text.length - 2; end += 7) {
      expect(readScenario(text.slice(0, end), 'x')).toMatchObject({ kind: 'error' });
    }
  });
});

describe('docs/scenario.schema.json', () => {
  const schema = JSON.parse(readFileSync('docs/scenario.schema.json', 'utf8')) as {
    readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };

  test('has the fields of the codec', () => {
    expect(Object.keys(schema.properties).sort()).toEqual(
      ['format', 'candidate', 'features', 'guest', ...PLAIN_FIELD_NAMES].sort(),
    );
  });

  test.each(PLAIN_FIELD_NAMES)('%s allows what the codec allows', (name) => {
    const property = schema.properties[name] ?? {};
    const shape = PLAIN_FIELDS[name];
    if (shape.kind === 'choice') expect(property['enum']).toEqual(shape.values);
    if (shape.kind === 'flag') expect(property['type']).toBe('boolean');
    if (shape.kind === 'integer') {
      expect([property['minimum'], property['maximum']]).toEqual([shape.least, shape.most]);
    }
  });

  test('has the features with their values', () => {
    const features = schema.properties['features']?.['properties'] as Record<
      string,
      { readonly enum: readonly string[] }
    >;
    expect(Object.entries(features).map(([name, { enum: values }]) => [name, values])).toEqual(
      FEATURE_DEFINITIONS.map(({ name, values }) => [name, values]),
    );
  });
});
