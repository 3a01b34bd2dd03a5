import { describe, expect, it } from 'vitest';
import { DEFAULT_FEATURES } from '../../../src/arm64/features.ts';
import type { Candidate } from '../../../src/candidates/candidate.ts';
import { HOLDS } from '../../../src/candidates/candidate.ts';
import { load } from '../../../src/candidates/host-code.ts';
import {
  clearLeaf,
  flushLeaf,
  maintainLeaf,
  putLeaf,
} from '../../../src/candidates/kvm-v5_8/unmap-steps.ts';
import { V5_8_UNMAP } from '../../../src/candidates/kvm-v5_8/unmap-v5_8.ts';
import { deferredRangeFlush } from '../../../src/candidates/unmap-stage2-range/deferred-range-flush.ts';
import { perPageFlush } from '../../../src/candidates/unmap-stage2-range/per-page-flush.ts';
import {
  directBlock,
  unmapThenMapBlock,
} from '../../../src/candidates/replace-table-by-block/candidates.ts';
import { withoutLastDsb } from '../../../src/candidates/unmap-stage2-range/broken.ts';
import {
  errorExitWithFlush,
  errorExitWithoutFlush,
} from '../../../src/candidates/unmap-stage2-range/deferral.ts';
import { writeProtectThenFlush } from '../../../src/candidates/write-protect/candidates.ts';
import { mapEffects } from '../../../src/candidates/map-effects.ts';
import {
  breakBeforeMakeMap,
  makeBeforeBreakMap,
} from '../../../src/candidates/map-stage2/candidates.ts';
import { unmapCandidate } from '../../../src/candidates/unmap-stage2-range/unmap-candidate.ts';
import { lift } from '../../../src/explore/summary/lift.ts';
import { summarise, type Summary } from '../../../src/explore/summary/summarise.ts';
import { ALL_RULES } from '../../../src/rules/all-rules.ts';
import { breakBeforeMake } from '../../../src/rules/break-before-make.ts';
import { noAccessAfterReturn } from '../../../src/rules/no-access-after-return.ts';
import { isInputError } from '../../../src/scenario/input-error.ts';
import { tlbgate } from '../../cli/run.ts';

const LIMITS = { states: 400_000 };

/** v5.8, but entry 77 of each table is not flushed: no scenario of a few pages reaches it. */
const FORGETS_ENTRY_77: Candidate = unmapCandidate({
  name: 'forgets-entry-77',
  title: 'v5.8 without the flush of one entry of each table',
  reference: [],
  expected: () => HOLDS,
  why: '',
  plan: () => ({
    ...V5_8_UNMAP,
    *leaf(kvm, leaf) {
      yield* clearLeaf(kvm, leaf);
      if (((leaf.address >> 12n) & 511n) !== 77n) yield* flushLeaf(kvm, leaf);
      yield* maintainLeaf(kvm, leaf);
      yield* putLeaf(kvm, leaf);
    },
  }),
});

function summaryOf(candidate: Candidate, pages: number, fwb: boolean, mapping = '4k'): Summary {
  const features = { ...DEFAULT_FEATURES, fwb };
  const found = summarise(candidate, { features, pages, mapping }, ALL_RULES, LIMITS);
  if (isInputError(found)) throw new Error(found.message);
  if (found.kind === 'out-of-reach') throw new Error(found.reason);
  return found;
}

function refutedIn({ outcomes }: Summary): readonly string[] {
  return outcomes.filter(({ verdict }) => verdict === 'refuted').map(({ rule }) => rule.id);
}

describe('large ranges', () => {
  it.each([
    ['4k', 700],
    ['2m', 1536],
    ['mixed', 1200],
  ])('the baseline holds: %s', (mapping, pages) => {
    const { outcomes, classes } = summaryOf(perPageFlush, pages, false, mapping);
    expect(outcomes.filter(({ verdict }) => verdict !== 'verified')).toEqual([]);
    // All pages of the range, and the neighbour in front of it.
    expect(classes.reduce((sum, each) => sum + each.pages, 0)).toBeGreaterThan(pages);
  });

  it('the seed breaks the rule on contents without FWB, and only that', () => {
    expect(refutedIn(summaryOf(deferredRangeFlush, 600, false))).toEqual(['contents-after-return']);
    expect(refutedIn(summaryOf(deferredRangeFlush, 600, true))).toEqual([]);
  });

  it('a block in the place of a table: with v5.8, and without emptying the table', () => {
    expect(refutedIn(summaryOf(unmapThenMapBlock, 1024, true, '2m'))).toEqual([]);
    expect(refutedIn(summaryOf(directBlock, 1024, true, '2m'))).toContain('break-before-make');
    const size = { features: { ...DEFAULT_FEATURES, fwb: true }, pages: 512, mapping: '2m' };
    expect(lift(directBlock, size, breakBeforeMake, LIMITS)).toMatchObject({ pages: 512 });
  });

  it('a mistake at one entry of each table is found, and shown by a concrete run', () => {
    const size = { features: { ...DEFAULT_FEATURES, fwb: true }, pages: 160, mapping: '4k' };
    const found = summarise(FORGETS_ENTRY_77, size, [noAccessAfterReturn], LIMITS);
    if (isInputError(found) || found.kind === 'out-of-reach') throw new Error('no summary');
    expect(refutedIn(found)).toEqual(['no-access-after-return']);
    const lifted = lift(FORGETS_ENTRY_77, size, noAccessAfterReturn, LIMITS);
    expect(lifted?.pages).toBe(160);
    expect((lifted?.ipa ?? 0n) >> 12n).toBe(0x4004dn);
    // Every effect of the host on all pages is in it.
    expect(lifted?.events).toBeGreaterThan(2000);
  });

  it('a table that is read after it was freed is no pass', () => {
    const reads = unmapCandidate({
      name: 'reads-freed-table',
      title: 'v5.8, but a freed table is read once more',
      reference: [],
      expected: () => HOLDS,
      why: '',
      plan: () => ({
        ...V5_8_UNMAP,
        *emptyTable(kvm, table) {
          yield* V5_8_UNMAP.emptyTable(kvm, table);
          yield load(table.table, { file: 'test', line: 1, function: 'test', text: 'read' });
        },
      }),
    });
    const size = { features: DEFAULT_FEATURES, pages: 20, mapping: '4k' };
    const found = summarise(reads, size, ALL_RULES, LIMITS);
    expect(found).toMatchObject({ kind: 'out-of-reach' });
  });

  it('a loop of the host without end is no pass, and ends with the time', () => {
    const endless = unmapCandidate({
      name: 'endless',
      title: 'v5.8, but a loop does not get on',
      reference: [],
      expected: () => HOLDS,
      why: '',
      plan: () => ({
        ...V5_8_UNMAP,
        *leaf(kvm, leaf) {
          yield* clearLeaf(kvm, leaf);
          for (;;) yield* flushLeaf(kvm, leaf);
        },
      }),
    });
    const size = { features: DEFAULT_FEATURES, pages: 20, mapping: '4k' };
    expect(summarise(endless, size, ALL_RULES, LIMITS)).toMatchObject({
      reason: expect.stringMatching(/does a loop of it not end/) as string,
    });
    let asked = 0;
    const expired = (): boolean => (asked += 1) > 2;
    expect(summarise(endless, size, ALL_RULES, { ...LIMITS, expired })).toMatchObject({
      kind: 'out-of-reach',
      reason: 'was not finished in the time given',
    });
    expect(asked).toBe(3);
  });

  it('what the flush of an empty table would hide at the end of the range', () => {
    expect(refutedIn(summaryOf(withoutLastDsb, 600, true))).toContain('no-access-after-return');
  });

  it('an atomic is known by what it does, not by its line', () => {
    const moves: Candidate = {
      ...writeProtectThenFlush,
      id: 'write-protect/moves-a-page',
      host: (kvm, request) =>
        mapEffects(writeProtectThenFlush.host(kvm, request), (effect) => {
          if (effect.kind !== 'rmw' || effect.at.address.kind !== 'const') return [effect];
          // Entry 77 of each table maps another page from here on.
          return effect.at.address.value % 4096n === 77n * 8n
            ? [{ ...effect, update: (old) => old + 4096n }]
            : [effect];
        }),
    };
    expect(refutedIn(summaryOf(writeProtectThenFlush, 600, true))).toEqual([]);
    expect(refutedIn(summaryOf(moves, 600, true))).toContain('break-before-make');
  });

  it('free choices: all ways are tried, or it is no pass', () => {
    expect(refutedIn(summaryOf(errorExitWithoutFlush, 3, true))).not.toEqual([]);
    const all = summaryOf(errorExitWithFlush, 3, true);
    expect([all.incomplete, all.runs]).toEqual([null, 8]);
    expect(all.outcomes.filter(({ verdict }) => verdict !== 'verified')).toEqual([]);
    const size = { features: { ...DEFAULT_FEATURES, fwb: true }, pages: 3, mapping: '4k' };
    const few = { ...LIMITS, effects: 20 };
    const some = summarise(errorExitWithFlush, size, ALL_RULES, few);
    if (isInputError(some) || some.kind === 'out-of-reach') throw new Error('no summary');
    expect(some.incomplete).not.toBeNull();
    expect(some.outcomes.filter(({ verdict }) => verdict === 'verified')).toEqual([]);
    const lifted = lift(errorExitWithoutFlush, size, noAccessAfterReturn, LIMITS);
    expect(lifted).not.toBeNull();
  });

  it('every page of the range is replaced, also beside blocks', () => {
    for (const [pages, mapping] of [
      [600, '4k'],
      [1200, 'mixed'],
    ] as const) {
      expect(refutedIn(summaryOf(breakBeforeMakeMap, pages, true, mapping))).toEqual([]);
      expect(refutedIn(summaryOf(makeBeforeBreakMap, pages, true, mapping))).toContain(
        'break-before-make',
      );
    }
  });

  it('few pages do not show it', () => {
    expect(refutedIn(summaryOf(FORGETS_ENTRY_77, 40, true))).toEqual([]);
  });
});

describe('the command line', () => {
  it('answers for any number of vCPUs, in the shape of verify', async () => {
    const ask = async (vcpus: string) =>
      tlbgate(
        `verify write-protect/without-flush --guest general --pages 600 --vcpus ${vcpus} --feature fwb=on --json`.split(
          ' ',
        ),
      );
    const [one, many] = [await ask('1'), await ask('48')];
    expect(one.code).toBe(1);
    const parsed = JSON.parse(many.out) as {
      verdict: string;
      runs: { rule: string; verdict: string; trace: unknown[] }[];
      fullSize: { pages: number; vcpus: string; vcpusAsked: number; classes: unknown[] }[];
    };
    expect(parsed.verdict).toBe('refuted');
    expect(parsed.fullSize[0]).toMatchObject({ pages: 600, vcpus: 'any', vcpusAsked: 48 });
    expect(many.out.replace('"vcpusAsked":48', '"vcpusAsked":1')).toBe(one.out);
    const broken = parsed.runs.find(({ rule }) => rule === 'permissions-after-return');
    expect(broken?.verdict).toBe('refuted');
    expect(broken?.trace.length).toBeGreaterThan(0);
  });

  it.each([
    ['a mapping the granule does not have', ['--mapping', '3m'], /it is 1g, 2m, 4k or mixed/],
    ['part of a block', ['--mapping', '2m', '--pages', '700'], /multiple/],
    ['more pages than addresses', ['--pages', '999999999999'], /at most \d+ pages/],
  ])('one sentence for %s', async (_, args, message) => {
    const all = ['verify', perPageFlush.id, '--guest', 'general', '--feature', 'fwb=on', ...args];
    const { code, out, err } = await tlbgate(all);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toMatch(message);
    expect(err.trim().split('\n')).toHaveLength(1);
  });

  it('many pages need the general guest', async () => {
    const { code, err } = await tlbgate(['verify', perPageFlush.id, '--pages', '9']);
    expect(code).toBe(2);
    expect(err).toMatch(/--guest general/);
  });

  it('says what is out of reach, and does not pass it', async () => {
    const line =
      'verify memory-fault/skip-if-equal --guest general --pages 600 --feature fwb=on --json';
    const { code, out } = await tlbgate(line.split(' '));
    expect(code).toBe(3);
    expect(out).toContain('"reached":false');
  });
});
