import { LAST_LEVEL, type Level } from '../../arm64/geometry.ts';
import { pagesPerEntry, type FullWorld, type Run } from './full-world.ts';
import type { Shape } from './token.ts';
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
   * share none. Null for effects that concern every page alike.
   */
  readonly shared: number | null;
}

/** All pages of a world, by what they see. */
export interface Projection {
  readonly kind: 'projection';
  readonly classes: readonly PageClass[];
  readonly words: WordTable;
  readonly tokenOf: (token: number) => Token;
}

/** Codes of `shared` in a token: levels -2 to 3 from 0 on, then "every page". */
const SHARED_CODES = 8;
const EVERY_PAGE = 7;

/** More different things in a row than this, all about siblings, are taken in any order. */
const MOST_RUNS = 12;

/**
 * Projects a trace onto every page at once, in time about linear in its length. The tables are a tree,
 * and from inside one subtree everything that happens in its siblings looks the same to all pages; so
 * a subtree gets the words of what happens outside once, and only what happens inside in full.
 */
export function project(world: FullWorld, trace: Trace): Projection | Beyond {
  const { geometry } = world;
  const words = wordTable();
  const found = new Map<string, { word: number; level: Level; page: number; pages: number }>();
  let beyond: string | null = null;

  function shapeAt(item: number): Shape {
    return trace.shapes[trace.shape[item] as number] as Shape;
  }

  /** The word after an item, as pages see it that share `shared` with what it is about. */
  function see(word: number, item: number, shared: number): number {
    const shape = trace.shape[item] as number;
    switch (shapeAt(item).concern) {
      case 'all':
        return words.append(word, shape * SHARED_CODES + EVERY_PAGE);
      case 'address':
        return words.append(word, shape * SHARED_CODES + shared + 2);
      case 'entry':
        return trace.level[item] === shared
          ? words.append(word, shape * SHARED_CODES + shared + 2)
          : word;
    }
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
        word = code < 0 ? words.concat(word, ~code) : see(word, code, level);
      }
      registerAll(word, from, to);
      return;
    }
    const span = pagesPerEntry(geometry, (level + 1) as Level);
    const chunks = split(level, from, codes);
    const outside = chunks.map((chunk) => seenFrom(level, from, chunk, level));
    const between = products(chunks, outside, words);
    const byChild = new Map<number, number[]>();
    for (const [index, { child }] of chunks.entries()) {
      if (child < 0) continue;
      const list = byChild.get(child);
      if (list === undefined) byChild.set(child, [index]);
      else list.push(index);
    }
    for (const [child, visits] of byChild) {
      const start = from + child * span;
      if (visits.length > 0) descend(level + 1, start, start + span, codesFor(visits));
    }
    const untouched = between(0, chunks.length);
    for (const part of mappedIn(world.runs, from, to)) {
      let page = part.from;
      while (page < part.to) {
        const child = Math.floor((page - from) / span);
        const end = Math.min(part.to, from + (child + 1) * span);
        if (!byChild.has(child)) register(untouched, part.level, page, end - page);
        page = end;
      }
    }

    function codesFor(visits: readonly number[]): Int32Array {
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

  /** What pages see of a chunk below an entry of `level` with which they share `shared`. */
  function seenFrom(level: number, from: number, chunk: Chunk, shared: number): number {
    const { child, codes } = chunk;
    const below = level + 1;
    if (child >= 0 && below < LAST_LEVEL) {
      const start = from + child * pagesPerEntry(geometry, below as Level);
      const parts = split(below, start, codes);
      const seen = parts.map((part) => seenFrom(below, start, part, shared));
      return products(parts, seen, words)(0, parts.length);
    }
    let word = words.empty;
    for (const code of codes) {
      word = code < 0 ? words.concat(word, ~code) : see(word, code, shared);
    }
    return word;
  }

  /**
   * Cuts what happens below an entry into chunks that are about one child each. What concerns every
   * page goes with the chunk before it.
   */
  function split(level: number, from: number, codes: Int32Array): readonly Chunk[] {
    const span = pagesPerEntry(geometry, (level + 1) as Level);
    const chunks: Chunk[] = [];
    let child = -1;
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
        begin(i, -1);
        continue;
      }
      const page = trace.page[code] as number;
      if (page < 0) continue;
      if (trace.level[code] === level) {
        if (child >= 0) begin(i, -1);
        continue;
      }
      const of = Math.floor((page - from) / span);
      if (of !== lastChild) {
        lastChild = of;
        lastMapped = mappedIn(world.runs, from + of * span, from + (of + 1) * span).length > 0;
      }
      if (!lastMapped && shapeAt(code).concern === 'entry') {
        beyond ??= 'it changes an entry that maps none of the pages';
      }
      const about = lastMapped ? of : -1;
      if (about !== child) begin(i, about);
    }
    begin(codes.length, -1);
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
      const code = token % SHARED_CODES;
      return {
        shape: Math.floor(token / SHARED_CODES),
        shared: code === EVERY_PAGE ? null : code - 2,
      };
    },
  };
}

/** A part of what happens below an entry. */
interface Chunk {
  /** Index of the child it is about, or -1. */
  readonly child: number;
  readonly codes: Int32Array;
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
 * many different ones about children follow each other, all of them are one loop; what is about the
 * entry itself keeps its place.
 */
function products(
  chunks: readonly Chunk[],
  seen: readonly number[],
  words: WordTable,
): (from: number, to: number) => number {
  const visible = new Int32Array(chunks.length + 1);
  const runs: { readonly word: number; readonly isOwn: boolean; length: number }[] = [];
  const runOf: number[] = [];
  for (const [index, word] of seen.entries()) {
    visible[index + 1] = (visible[index] as number) + (word === words.empty ? 0 : 1);
    if (word === words.empty) continue;
    const last = runs.at(-1);
    if (last?.word === word) last.length += 1;
    else runs.push({ word, isOwn: (chunks[index] as Chunk).child < 0, length: 1 });
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
