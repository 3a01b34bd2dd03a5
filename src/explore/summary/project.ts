import { LAST_LEVEL, type Level } from '../../arm64/geometry.ts';
import type { FullWorld } from './full-world.ts';
import { pagesPerEntry, type Run } from './layout.ts';
import { rangeHits, type NamedRange } from './range-hits.ts';
import type { Shape } from './shape.ts';
import type { Beyond, Trace } from './trace.ts';
import { wordTable, type WordTable } from './word.ts';

/** Pages that see the same word: they have the same violations, up to the names of addresses. */
export interface PageClass {
  readonly word: number;
  /** Level of the leaf that maps them when the operation begins. */
  readonly level: Level;
  /** The first of them, by number. */
  readonly page: number;
  readonly pages: number;
}

/** A token: a shape, and how much of its walk a page shares with what the effect names. */
export interface Token {
  readonly shape: number;
  /**
   * The last level at which both go through the same entry; one less than the start level when they
   * share none. Null for effects that concern every page alike, and for TLBIs by range.
   */
  readonly shared: number | null;
  /** For a TLBI by range what it hits of the page's walk (`rangeHits`); else null. */
  readonly hits: number | null;
}

/** All pages of a world, by what they see. */
export interface Projection {
  readonly kind: 'projection';
  readonly classes: readonly PageClass[];
  readonly words: WordTable;
  readonly tokenOf: (token: number) => Token;
}

/** Codes in a token: `shared` from -2 to 3, "every page", and from 256 on what a range hits. */
const CODES = 512;
const EVERY_PAGE = 7;
const HITS = 256;

/** More different things in a row than this, all about siblings, are taken in any order. */
const MOST_RUNS = 12;

/**
 * Projects a trace onto every page at once, in time about linear in its length. The tables are a tree,
 * and from inside one subtree everything that happens in its siblings looks the same to all pages; so
 * a subtree gets the words of what happens outside once, and only what happens inside in full.
 */
export function project(
  world: FullWorld,
  trace: Trace,
  words: WordTable = wordTable(),
): Projection | Beyond {
  const { geometry } = world;
  const found = new Map<string, { word: number; level: Level; page: number; pages: number }>();
  let beyond: string | null = null;

  function shapeAt(item: number): Shape {
    return trace.shapes[trace.shape[item] as number] as Shape;
  }

  /**
   * The word after an item, as pages see it that share `shared` with what it is about. `from`: a page
   * of theirs, or one that is below the same entry of level `shared`.
   */
  function see(word: number, item: number, shared: number, from: number): number {
    const shape = trace.shape[item] as number;
    switch (shapeAt(item).concern) {
      case 'all':
        return words.append(word, shape * CODES + EVERY_PAGE);
      case 'address':
        return words.append(word, shape * CODES + shared + 2);
      case 'entry':
        return trace.level[item] === shared ? words.append(word, shape * CODES + shared + 2) : word;
      case 'range':
        return words.append(word, rangeToken(item, from, shared));
    }
  }

  function rangeAt(item: number): NamedRange {
    return trace.ranges[trace.page[item] as number] as NamedRange;
  }

  function rangeToken(item: number, page: number, deepest: number): number {
    const hits = rangeHits(rangeAt(item), page, deepest, geometry, world.features);
    return (trace.shape[item] as number) * CODES + HITS + hits;
  }

  function register(word: number, level: Level, page: number, pages: number): void {
    const key = `${word},${level}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, { word, level, page, pages });
    else {
      known.page = Math.min(known.page, page);
      known.pages += pages;
    }
  }

  /** All mapped pages of `[from, to)` see the same. */
  function registerAll(word: number, from: number, to: number): void {
    for (const part of mappedIn(world.runs, from, to)) {
      register(word, part.level, part.from, part.to - part.from);
    }
  }

  /**
   * The pages below one entry of `level` (one less than the start level: all). `codes`, in order: items
   * of the trace by index, and, as complements, words of what happened elsewhere.
   */
  function descend(level: number, from: number, to: number, codes: Int32Array): void {
    if (level === LAST_LEVEL) {
      let word = words.empty;
      for (const code of codes) {
        word = code < 0 ? words.concat(word, ~code) : see(word, code, level, from);
      }
      registerAll(word, from, to);
      return;
    }
    const span = pagesPerEntry(geometry, (level + 1) as Level);
    const chunks = split(level, from, codes);
    const outside = chunks.map((chunk) =>
      chunk.child === WIDE ? words.empty : seenFrom(level, from, chunk, level),
    );
    for (const group of groupsOf(chunks, from, to, span)) descendGroup(group);

    /** Children that TLBIs by range treat alike. */
    function descendGroup(group: Group): void {
      const start = from + group.first * span;
      const seen = outside.slice();
      const isOwn = chunks.map(({ child }) => child < 0);
      const byChild = new Map<number, number[]>();
      for (const [index, { child, codes: own }] of chunks.entries()) {
        let about = child;
        if (child === WIDE) {
          const { from: a, to: b } = rangeAt(own[0] as number);
          const isHit = a < start + span && start < b;
          if (isHit && (start < a || b < start + span)) about = group.first;
          else {
            let word = words.empty;
            for (const code of own) word = see(word, code, LAST_LEVEL, start);
            seen[index] = word;
            isOwn[index] = isHit;
          }
        }
        if (about < group.first || about > group.last) continue;
        const list = byChild.get(about);
        if (list === undefined) byChild.set(about, [index]);
        else list.push(index);
      }
      const between = products(seen, isOwn, words);
      for (const [child, visits] of byChild) {
        const first = from + child * span;
        descend(level + 1, first, first + span, codesFor(visits, between));
      }
      const untouched = between(0, chunks.length);
      const end = Math.min(to, from + (group.last + 1) * span);
      for (const part of mappedIn(world.runs, start, end)) {
        let page = part.from;
        while (page < part.to) {
          const child = Math.floor((page - from) / span);
          const next = Math.min(part.to, from + (child + 1) * span);
          if (!byChild.has(child)) register(untouched, part.level, page, next - page);
          page = next;
        }
      }
    }

    function codesFor(
      visits: readonly number[],
      between: (from: number, to: number) => number,
    ): Int32Array {
      let length = visits.length + 1;
      for (const visit of visits) length += (chunks[visit] as Chunk).codes.length;
      const result = new Int32Array(length);
      let at = 0;
      let before = 0;
      for (const visit of visits) {
        const gap = between(before, visit);
        if (gap !== words.empty) result[at++] = ~gap;
        const { codes: own } = chunks[visit] as Chunk;
        result.set(own, at);
        at += own.length;
        before = visit + 1;
      }
      const gap = between(before, chunks.length);
      if (gap !== words.empty) result[at++] = ~gap;
      return result.subarray(0, at);
    }
  }

  /** The children of an entry in runs such that each TLBI by range hits all of one, none, or is in one child. */
  function groupsOf(
    chunks: readonly Chunk[],
    from: number,
    to: number,
    span: number,
  ): readonly Group[] {
    const children = Math.ceil((to - from) / span);
    const borders = new Set([0, children]);
    for (const { child, codes } of chunks) {
      if (child !== WIDE) continue;
      for (const border of bordersOf(rangeAt(codes[0] as number), from, span)) {
        if (border > 0 && border < children) borders.add(border);
      }
    }
    const sorted = [...borders].sort((a, b) => a - b);
    return sorted.slice(0, -1).map((first, i) => ({ first, last: (sorted[i + 1] as number) - 1 }));
  }

  /** What pages see of a chunk below an entry of `level` with which they share `shared`. */
  function seenFrom(level: number, from: number, chunk: Chunk, shared: number): number {
    const { child, codes } = chunk;
    const below = level + 1;
    if (child >= 0 && below < LAST_LEVEL) {
      const start = from + child * pagesPerEntry(geometry, below as Level);
      const parts = split(below, start, codes);
      const seen = parts.map((part) => seenFrom(below, start, part, shared));
      const isOwn = parts.map((part) => part.child === NONE);
      return products(seen, isOwn, words)(0, parts.length);
    }
    let word = words.empty;
    for (const code of codes) {
      word = code < 0 ? words.concat(word, ~code) : see(word, code, shared, from);
    }
    return word;
  }

  /**
   * Cuts what happens below an entry into chunks that are about one child each, but for TLBIs by range.
   * What concerns every page goes with the chunk before it.
   */
  function split(level: number, from: number, codes: Int32Array): readonly Chunk[] {
    const span = pagesPerEntry(geometry, (level + 1) as Level);
    const chunks: Chunk[] = [];
    let child = NONE;
    let start = 0;
    let lastChild = -1;
    let lastMapped = false;

    function begin(at: number, about: number): void {
      if (at > start) chunks.push({ child, codes: codes.subarray(start, at) });
      start = at;
      child = about;
    }

    for (let i = 0; i < codes.length; i += 1) {
      const code = codes[i] as number;
      if (code < 0) {
        begin(i, NONE);
        continue;
      }
      let page = trace.page[code] as number;
      if (page < 0) continue;
      const { concern } = shapeAt(code);
      if (concern === 'range') {
        const range = rangeAt(code);
        const first = Math.floor((range.from - from) / span);
        const last = Math.floor((range.to - 1 - from) / span);
        if (first < last) {
          begin(i, WIDE);
          continue;
        }
        page = range.from;
      } else if (trace.level[code] === level) {
        if (child !== NONE) begin(i, NONE);
        continue;
      }
      const of = Math.floor((page - from) / span);
      if (of !== lastChild) {
        lastChild = of;
        lastMapped = mappedIn(world.runs, from + of * span, from + (of + 1) * span).length > 0;
      }
      if (!lastMapped && concern === 'entry') {
        beyond ??= 'it changes an entry that maps none of the pages';
      }
      const about = lastMapped ? of : NONE;
      if (about !== child) begin(i, about);
    }
    begin(codes.length, NONE);
    return chunks;
  }

  const all = new Int32Array(trace.length);
  for (let i = 0; i < all.length; i += 1) all[i] = i;
  const topLevel = geometry.startLevel - 1;
  const perTop = pagesPerEntry(geometry, geometry.startLevel);
  descend(topLevel, 0, geometry.rootEntries * perTop, all);
  if (beyond !== null) return { kind: 'beyond', reason: beyond };
  return {
    kind: 'projection',
    classes: [...found.values()].sort((a, b) => a.page - b.page),
    words,
    tokenOf: (token) => {
      const code = token % CODES;
      return {
        shape: Math.floor(token / CODES),
        shared: code >= EVERY_PAGE ? null : code - 2,
        hits: code >= HITS ? code - HITS : null,
      };
    },
  };
}

/** A part of what happens below an entry. */
interface Chunk {
  /** Index of the child it is about, or NONE, or WIDE. */
  readonly child: number;
  readonly codes: Int32Array;
}

/** About no child that maps anything: about the entry itself, or about something elsewhere. */
const NONE = -1;

/** A TLBI by range that names more than one child; what concerns every page may follow it. */
const WIDE = -2;

/** Consecutive children of an entry. */
interface Group {
  readonly first: number;
  readonly last: number;
}

/** The children at which what a range does to them may change. */
function bordersOf(range: NamedRange, from: number, span: number): readonly number[] {
  const first = Math.floor((range.from - from) / span);
  const last = Math.floor((range.to - 1 - from) / span);
  return [first, first + 1, last, last + 1];
}

function mappedIn(runs: readonly Run[], from: number, to: number): readonly Run[] {
  const parts: Run[] = [];
  for (const run of runs) {
    const start = Math.max(run.from, from);
    const end = Math.min(run.to, to);
    if (start < end) parts.push({ from: start, to: end, level: run.level });
  }
  return parts;
}

/**
 * The word of the chunks `[i, j)`, given the words of each. Equal chunks in a row are a loop. Where too
 * many different ones follow each other, all of them are one loop; those that are `isOwn` keep their place.
 */
function products(
  seen: readonly number[],
  isOwn: readonly boolean[],
  words: WordTable,
): (from: number, to: number) => number {
  const visible = new Int32Array(seen.length + 1);
  const runs: { readonly word: number; readonly isOwn: boolean; length: number }[] = [];
  const runOf: number[] = [];
  for (const [index, word] of seen.entries()) {
    visible[index + 1] = (visible[index] as number) + (word === words.empty ? 0 : 1);
    if (word === words.empty) continue;
    const last = runs.at(-1);
    if (last?.word === word) last.length += 1;
    else runs.push({ word, isOwn: isOwn[index] === true, length: 1 });
    runOf.push(runs.length - 1);
  }

  function wordOf(first: number, last: number): number {
    let word = words.empty;
    for (let i = first; i <= last;) {
      let end = i;
      while (end <= last && runs[end]?.isOwn === false) end += 1;
      if (end - i > MOST_RUNS) {
        word = words.concat(word, words.loop(runs.slice(i, end).map((run) => run.word)));
        i = end;
        continue;
      }
      for (end = Math.max(end, i + 1); i < end; i += 1) {
        const run = runs[i];
        if (run === undefined) continue;
        word = words.concat(word, run.length > 1 ? words.loop([run.word]) : run.word);
      }
    }
    return word;
  }

  const known = new Map<number, number>();
  return (from, to) => {
    const a = visible[from] as number;
    const b = visible[to] as number;
    if (a === b) return words.empty;
    const first = runOf[a] as number;
    const last = runOf[b - 1] as number;
    const key = first * (runs.length + 1) + last;
    let word = known.get(key);
    if (word === undefined) {
      word = wordOf(first, last);
      known.set(key, word);
    }
    return word;
  };
}
