import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../../src/arm64/features.ts';
import { startCampaign } from '../../../src/explore/campaign/campaign.ts';
import {
  EMPTY_CORPUS,
  findingOf,
  uniteCorpora,
  type Corpus,
} from '../../../src/explore/campaign/corpus.ts';
import { readEntry, writeEntry } from '../../../src/explore/campaign/entry-file.ts';
import { combinationsOf, entryKey, type Entry } from '../../../src/explore/campaign/entry.ts';
import { RUN_FACT_NAMES } from '../../../src/explore/campaign/fact.ts';
import type { Replay } from '../../../src/scenario/replay-file.ts';
import { defaultScenario } from '../../../src/scenario/scenario.ts';
import { campaignOf } from './subjects.ts';

/** Few values for everything, so that corpora have much in common. */
const entry: fc.Arbitrary<Entry> = fc
  .record({
    candidate: fc.constantFrom('a', 'b', 'a#drop'),
    vcpus: fc.integer({ min: 1, max: 2 }),
    legs: fc.array(fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 2 })), { maxLength: 1 }),
    facts: fc.subarray(RUN_FACT_NAMES.slice(0, 5)),
    steps: fc.integer({ min: 1, max: 3 }),
    seed: fc.nat({ max: 1 }),
    run: fc.nat({ max: 1 }),
  })
  .map(({ candidate, vcpus, legs, facts, steps, seed, run }) => ({
    scenario: { ...defaultScenario(candidate, DEFAULT_FEATURES), vcpus },
    legs: [...legs.map(([s, n]) => ({ seed: s, steps: n })), { seed: 1, steps: Infinity }],
    facts,
    steps,
    found: { seed, shard: '1/2', run },
  }));

const finding: fc.Arbitrary<Replay> = fc
  .record({
    rule: fc.constantFrom('progress', 'right-vmid'),
    pages: fc.integer({ min: 1, max: 2 }),
    wheres: fc.array(fc.constantFrom('x', 'y'), { maxLength: 2 }),
  })
  .map(({ rule, pages, wheres }) => ({
    scenario: { ...defaultScenario('a', DEFAULT_FEATURES), pages },
    rule,
    labels: wheres.map((where) => ({ agent: 'cpu0', event: 'do', what: 'isb', where, choice: '' })),
  }));

function byKey<Value>(
  keyOf: (value: Value) => string,
  values: readonly Value[],
): Map<string, Value> {
  return new Map(values.map((value) => [keyOf(value), value]));
}

const corpus: fc.Arbitrary<Corpus> = fc
  .record({
    entries: fc.array(entry, { maxLength: 5 }),
    found: fc.array(finding, { maxLength: 3 }),
    findings: fc.array(finding, { maxLength: 3 }),
    progress: fc.dictionary(fc.constantFrom('1 1/2', '1 2/2'), fc.nat({ max: 9 })),
  })
  .map(({ entries, found, findings, progress }) => ({
    entries: byKey(entryKey, entries),
    found: byKey(findingOf, found),
    findings: byKey(findingOf, findings),
    progress: new Map(Object.entries(progress)),
  }));

/** Maps in the order they have: that is part of what must not depend on who came first. */
function listed({ entries, found, findings, progress }: Corpus): unknown {
  return [[...entries], [...found], [...findings], [...progress]];
}

function covered({ entries }: Corpus): Set<string> {
  return new Set([...entries.values()].flatMap(combinationsOf));
}

describe('uniting corpora', () => {
  test('order does not matter', () => {
    fc.assert(
      fc.property(corpus, corpus, (a, b) => {
        expect(listed(uniteCorpora(a, b))).toEqual(listed(uniteCorpora(b, a)));
      }),
    );
  });

  test('nor does grouping', () => {
    fc.assert(
      fc.property(corpus, corpus, corpus, (a, b, c) => {
        const left = uniteCorpora(uniteCorpora(a, b), c);
        expect(listed(left)).toEqual(listed(uniteCorpora(a, uniteCorpora(b, c))));
      }),
    );
  });

  test('again changes nothing', () => {
    fc.assert(
      fc.property(corpus, corpus, (a, b) => {
        const once = uniteCorpora(a, b);
        expect(listed(uniteCorpora(once, b))).toEqual(listed(once));
        expect(listed(uniteCorpora(once, once))).toEqual(listed(once));
      }),
    );
  });

  test('loses no combination and no finding, and makes nothing up', () => {
    fc.assert(
      fc.property(corpus, corpus, (a, b) => {
        const both = uniteCorpora(a, b);
        expect(covered(both)).toEqual(new Set([...covered(a), ...covered(b)]));
        for (const part of ['found', 'findings', 'progress'] as const) {
          expect(new Set(both[part].keys())).toEqual(
            new Set([...a[part].keys(), ...b[part].keys()]),
          );
        }
        for (const key of both.entries.keys())
          expect(a.entries.has(key) || b.entries.has(key)).toBe(true);
      }),
    );
  });

  test('keeps no entry that no combination needs', () => {
    fc.assert(
      fc.property(corpus, corpus, (a, b) => {
        const both = uniteCorpora(a, b);
        // Each one is the best of something, so without it something gets worse or is lost.
        for (const key of both.entries.keys()) {
          const entries = new Map([...both.entries].filter(([other]) => other !== key));
          expect(listed(uniteCorpora({ ...both, entries }, EMPTY_CORPUS))).not.toEqual(
            listed(both),
          );
        }
      }),
    );
  });

  test('has something to do: of real corpora some entries are needless together', () => {
    const corpora = [1, 2].map((seed): Corpus => {
      const campaign = startCampaign(
        campaignOf(['unmap-stage2-range/per-page-flush'], { seed }),
        EMPTY_CORPUS,
      );
      for (let i = 0; i < 60; i += 1) campaign.run();
      return { ...EMPTY_CORPUS, entries: campaign.entries() };
    });
    const both = corpora.reduce(uniteCorpora);
    const all = corpora.reduce((sum, { entries }) => sum + entries.size, 0);
    expect(both.entries.size).toBeLessThan(all);
    expect(both.entries.size).toBeGreaterThan(1);
  });
});

describe('the file of an entry', () => {
  test('is read back as it was written', () => {
    fc.assert(
      fc.property(entry, (value) => {
        expect(readEntry(writeEntry(value), 'x.json')).toEqual(value);
      }),
    );
  });

  test('cut off anywhere it is a sentence, never an exception and never an entry', () => {
    const [value] = fc.sample(entry, { seed: 1, numRuns: 1 });
    if (value === undefined) throw new Error('no entry');
    const text = writeEntry(value).trimEnd();
    for (let length = 0; length < text.length; length += 1) {
      const read = readEntry(text.slice(0, length), 'x.json');
      expect(read).toMatchObject({ kind: 'error' });
    }
  });

  test('with anything else in a field it is a sentence or an entry', () => {
    const [value] = fc.sample(entry, { seed: 2, numRuns: 1 });
    if (value === undefined) throw new Error('no entry');
    const json = JSON.parse(writeEntry(value)) as Record<string, unknown>;
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(json)), fc.jsonValue(), (field, other) => {
        const read = readEntry(JSON.stringify({ ...json, [field]: other }), 'x.json');
        expect(typeof read).toBe('object');
      }),
    );
  });
});
