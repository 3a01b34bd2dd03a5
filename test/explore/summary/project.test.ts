import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_FEATURES } from '../../../src/arm64/features.ts';
import { perPageFlush } from '../../../src/candidates/unmap-stage2-range/per-page-flush.ts';
import { buildFullWorld, type FullWorld } from '../../../src/explore/summary/full-world.ts';
import { pagesPerEntry } from '../../../src/explore/summary/layout.ts';
import { project, type Projection } from '../../../src/explore/summary/project.ts';
import { namedRange, rangeHits } from '../../../src/explore/summary/range-hits.ts';
import { encodeRangeOperand } from '../../../src/arm64/tlbi-range.ts';
import { tlbi } from '../../../src/arm64/tlbi.ts';
import { traceOf, type Trace } from '../../../src/explore/summary/trace.ts';
import type { Level } from '../../../src/arm64/geometry.ts';
import { isInputError } from '../../../src/scenario/input-error.ts';

function worldOf(pages: number, mapping = '4k'): FullWorld {
  const world = buildFullWorld({ features: DEFAULT_FEATURES, pages, mapping }, 'unmap');
  if (isInputError(world)) throw new Error(world.message);
  return world;
}

/** What a page sees, item by item: the definition that the projection has to meet. */
function seenBy(world: FullWorld, trace: Trace, page: number): readonly string[] {
  const seen: string[] = [];
  for (let i = 0; i < trace.length; i += 1) {
    const of = trace.page[i] as number;
    const shape = trace.shape[i] as number;
    const concern = trace.shapes[shape]?.concern;
    if (concern === 'range') {
      const range = trace.ranges[of];
      if (range === undefined) throw new Error('no such range');
      seen.push(`${shape}#${rangeHits(range, page, 3, world.geometry, world.features)}`);
      continue;
    }
    if (of < 0) {
      seen.push(`${shape}`);
      continue;
    }
    let shared = world.geometry.startLevel - 1;
    for (let level = world.geometry.startLevel; level <= (trace.level[i] as number); level += 1) {
      const span = pagesPerEntry(world.geometry, level as Level);
      if (Math.floor(page / span) !== Math.floor(of / span)) break;
      shared = level as Level;
    }
    if (concern === 'address' || shared === trace.level[i]) seen.push(`${shape}@${shared}`);
  }
  return seen;
}

/** Whether a word, as a regular expression, takes a sequence. */
function takes(projection: Projection, word: number, sequence: readonly string[]): boolean {
  const { words, tokenOf } = projection;

  function ends(of: number, starts: ReadonlySet<number>): Set<number> {
    let at = new Set(starts);
    for (const atom of words.atoms(of)) {
      if (atom.kind === 'token') {
        const { shape, shared, hits } = tokenOf(atom.token);
        const name = `${shape}${shared === null ? '' : `@${shared}`}${hits === null ? '' : `#${hits}`}`;
        at = new Set([...at].filter((i) => sequence[i] === name).map((i) => i + 1));
        continue;
      }
      const reached = new Set<number>();
      let front = at;
      while (front.size > 0) {
        const next = new Set(atom.words.flatMap((each) => [...ends(each, front)]));
        front = new Set([...next].filter((i) => !reached.has(i)));
        for (const i of front) reached.add(i);
      }
      at = reached;
    }
    return at;
  }

  return ends(word, new Set([0])).has(sequence.length);
}

function classOf(world: FullWorld, projection: Projection, page: number): number {
  const found = projection.classes.find((each) => each.page === page);
  if (found === undefined) throw new Error(`page ${page} is not the first of a class`);
  expect(world.runs.some(({ from, to }) => from <= page && page < to)).toBe(true);
  return found.word;
}

/** Pages that are registered as alike see words that the word of their class takes: a sample. */
function everyPage(world: FullWorld, trace: Trace, projection: Projection): void {
  const { from } = world.range;
  for (const offset of [0, 1, 3, 62, 64, 511, 512, 600, 1023, 1024, 1099]) {
    const seen = seenBy(world, trace, from + offset);
    expect(projection.classes.some(({ word }) => takes(projection, word, seen))).toBe(true);
  }
}

describe('the projection', () => {
  const world = worldOf(1100);
  const real = traceOf(perPageFlush, worldOf(2), () => 0);
  if (real.kind !== 'trace') throw new Error(real.reason);
  const { shapes } = real;
  const of = (concern: string): readonly number[] =>
    shapes.map((_, i) => i).filter((i) => shapes[i]?.concern === concern);

  /** Steps about a few pages, so that patterns repeat, some of them about entries further up. */
  const items = fc.array(
    fc.record({
      shape: fc.nat({ max: shapes.length - 1 }),
      level: fc.constantFrom(1, 2, 3),
      page: fc.constantFrom(0, 1, 2, 3, 511, 512, 513, 1023, 1024, 1025, 1099),
      times: fc.constantFrom(1, 1, 2, 5),
    }),
    { maxLength: 30 },
  );

  /** TLBIs by range that begin and end anywhere, some with a level hint. */
  const ranges = fc.array(
    fc.record({
      at: fc.nat({ max: 30 }),
      base: fc.constantFrom(-2, 0, 1, 2, 510, 512, 700, 1024, 1098),
      scale: fc.constantFrom(0, 1),
      num: fc.nat({ max: 31 }),
      level: fc.constantFrom(null, 2 as const, 3 as const),
      times: fc.constantFrom(1, 1, 3),
    }),
    { maxLength: 6 },
  );

  it.each([true, false])('gives every page a word that takes what it sees (%s)', (any) => {
    const features = { ...DEFAULT_FEATURES, readingTableDropByAnyIpa: any, tlbiRange: true };
    const seenIn: FullWorld = { ...world, features };
    fc.assert(
      fc.property(items, ranges, (steps, flushes) => {
        const flat = steps.flatMap((step) => Array.from({ length: step.times }, () => step));
        const isGlobal = (shape: number): boolean => of('all').includes(shape);
        const pageFor = (level: number, page: number): number => {
          const span = pagesPerEntry(world.geometry, level as Level);
          return Math.floor((world.range.from + page) / span) * span;
        };
        const level = flat.map((step) => (of('address').includes(step.shape) ? 3 : step.level));
        const rows = flat.map((step, i) => ({
          shape: step.shape,
          level: level[i] ?? 3,
          page: isGlobal(step.shape) ? -1 : pageFor(level[i] ?? 3, step.page),
        }));
        const op = tlbi('RIPAS2E1IS');
        const named = flushes.map(({ base, ...fields }) => {
          const first = BigInt(world.range.from + base) << 12n;
          const operand = encodeRangeOperand(
            { asid: 0, granule: '4k', base: first, ...fields },
            features,
          );
          return namedRange(op, operand, shapes.length, features);
        });
        for (const [index, { at, times }] of flushes.entries()) {
          const row = { shape: shapes.length, level: 3 as const, page: index };
          rows.splice(at, 0, ...Array.from({ length: times }, () => row));
        }
        const [sample] = shapes;
        if (sample === undefined) throw new Error('no shapes');
        const trace: Trace = {
          ...real,
          shapes: [...shapes, { ...sample, concern: 'range', content: { kind: 'range' } }],
          ranges: named,
          length: rows.length,
          shape: Int32Array.from(rows.map((row) => row.shape)),
          level: Int8Array.from(rows.map((row) => row.level)),
          page: Int32Array.from(rows.map((row) => row.page)),
        };
        const projection = project(seenIn, trace);
        if (projection.kind === 'beyond') throw new Error(projection.reason);
        const pages = projection.classes.reduce((sum, each) => sum + each.pages, 0);
        expect(pages).toBe(world.runs.reduce((sum, run) => sum + run.to - run.from, 0));
        for (const { page, word } of projection.classes) {
          expect(takes(projection, word, seenBy(seenIn, trace, page))).toBe(true);
        }
        everyPage(seenIn, trace, projection);
      }),
      { numRuns: 40 },
    );
  });

  it('has words that say something: one token less is not taken', () => {
    const small = worldOf(2);
    const trace = traceOf(perPageFlush, small, () => 0);
    if (trace.kind !== 'trace') throw new Error(trace.reason);
    const projection = project(small, trace);
    if (projection.kind === 'beyond') throw new Error(projection.reason);
    const page = small.range.to - 1;
    const word = classOf(small, projection, page);
    const seen = seenBy(small, trace, page);
    expect(takes(projection, word, seen)).toBe(true);
    const without = seen.map((_, i) => seen.filter((__, j) => j !== i));
    expect(without.filter((each) => takes(projection, word, each))).toEqual([]);
  });

  it('tells few classes apart, however many pages there are', () => {
    const counts = [1500, 3000].map((pages) => {
      const large = worldOf(pages);
      const trace = traceOf(perPageFlush, large, () => 0);
      if (trace.kind !== 'trace') throw new Error(trace.reason);
      const projection = project(large, trace);
      if (projection.kind === 'beyond') throw new Error(projection.reason);
      // The first, the last and a middle page of a class of many see words that it takes.
      for (const { page, word } of projection.classes) {
        expect(takes(projection, word, seenBy(large, trace, page))).toBe(true);
      }
      return projection.classes.length;
    });
    expect(counts[1]).toBeLessThan(40);
    expect((counts[1] ?? 0) - (counts[0] ?? 0)).toBeLessThan(8);
  });
});
