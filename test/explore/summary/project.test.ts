import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_FEATURES } from '../../../src/arm64/features.ts';
import { perPageFlush } from '../../../src/candidates/unmap-stage2-range/per-page-flush.ts';
import {
  buildFullWorld,
  pagesPerEntry,
  type FullWorld,
} from '../../../src/explore/summary/full-world.ts';
import { project, type Projection } from '../../../src/explore/summary/project.ts';
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
        const { shape, shared } = tokenOf(atom.token);
        const name = shared === null ? `${shape}` : `${shape}@${shared}`;
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

describe('the projection', () => {
  const world = worldOf(1100);
  const real = traceOf(perPageFlush, worldOf(2), []);
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

  it('gives every page a word that takes what the page sees', () => {
    fc.assert(
      fc.property(items, (steps) => {
        const flat = steps.flatMap((step) => Array.from({ length: step.times }, () => step));
        const isGlobal = (shape: number): boolean => of('all').includes(shape);
        const pageFor = (level: number, page: number): number => {
          const span = pagesPerEntry(world.geometry, level as Level);
          return Math.floor((world.range.from + page) / span) * span;
        };
        const level = flat.map((step) => (of('address').includes(step.shape) ? 3 : step.level));
        const trace: Trace = {
          ...real,
          length: flat.length,
          shape: Int32Array.from(flat.map((step) => step.shape)),
          level: Int8Array.from(level),
          page: Int32Array.from(
            flat.map((step, i) => (isGlobal(step.shape) ? -1 : pageFor(level[i] ?? 3, step.page))),
          ),
        };
        const projection = project(world, trace);
        if (projection.kind === 'beyond') throw new Error(projection.reason);
        const pages = projection.classes.reduce((sum, each) => sum + each.pages, 0);
        expect(pages).toBe(world.runs.reduce((sum, run) => sum + run.to - run.from, 0));
        for (const { page, word } of projection.classes) {
          expect(takes(projection, word, seenBy(world, trace, page))).toBe(true);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('has words that say something: one token less is not taken', () => {
    const small = worldOf(2);
    const trace = traceOf(perPageFlush, small, []);
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
      const trace = traceOf(perPageFlush, large, []);
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
