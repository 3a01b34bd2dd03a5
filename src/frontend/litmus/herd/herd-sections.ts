import { reject, type Position } from '../problem.ts';
import { blank, sourceText, type SourceText } from '../source-text.ts';
import type { CodeLine } from '../assembly/code.ts';

/** A column of code, as its header names it. */
export interface HerdColumn {
  readonly thread: number;
  /** `P0.F`: the fault handler of the thread. */
  readonly handler: boolean;
  readonly at: Position;
  readonly lines: readonly CodeLine[];
}

/** A test cut into its parts; nothing but the code grid is understood yet. */
export interface HerdSections {
  readonly source: SourceText;
  readonly name: string;
  /** The `Key=value` lines between the name and the initial state, keys in lower case. */
  readonly info: ReadonlyMap<string, { readonly value: string; readonly at: Position }>;
  /** The initial state without its braces, and where it begins. */
  readonly init: { readonly text: string; readonly offset: number };
  readonly columns: readonly HerdColumn[];
  /** `locations`, `filter` and the condition. */
  readonly tail: { readonly text: string; readonly offset: number };
}

const TAIL = /^(locations|filter|exists|forall|final|observed|~|not\b|\()/i;

/** Cuts a herd7 test into its parts. Comments become blanks, so that positions stay true. */
export function herdSections(file: string, original: string): HerdSections {
  const text = blankComments(original);
  const source = sourceText(file, text);
  const head = /^\s*(\S+)[ \t]+(\S+)[^\n]*(?:\n|$)/.exec(text);
  if (head === null) {
    return reject('syntax', source.position(0), 'a test begins with `AArch64 NAME`.');
  }
  if (head[1] !== 'AArch64') {
    return reject('unsupported', source.position(0), 'only AArch64 tests are supported.');
  }
  const open = text.indexOf('{', head[0].length);
  if (open < 0) {
    return reject('syntax', source.position(text.length), 'there is no initial state `{ ... }`.');
  }
  const close = matchingBrace(text, open);
  if (close < 0) return reject('syntax', source.position(open), 'this `{` is not closed.');
  const grid = readGrid(source, close + 1);
  return {
    source,
    name: (head[2] ?? '').replace(/\.litmus$/, ''),
    info: readInfo(source, head[0].length, open),
    init: { text: text.slice(open + 1, close), offset: open + 1 },
    columns: grid.columns,
    tail: { text: text.slice(grid.end), offset: grid.end },
  };
}

/** Comments are `(* ... *)`, nested. */
function blankComments(text: string): string {
  let out = '';
  let depth = 0;
  for (let i = 0; i < text.length; i += 1) {
    const two = text.slice(i, i + 2);
    if (two === '(*') depth += 1;
    const closing = depth > 0 && two === '*)';
    const char = text[i] ?? '';
    out += depth > 0 && char !== '\n' ? ' ' : char;
    if (closing) {
      depth -= 1;
      out += ' ';
      i += 1;
    }
  }
  return blank(out, /^[ \t]*"[^"\n]*"[ \t]*$/m);
}

function matchingBrace(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i += 1) {
    if (text[i] === '{') depth += 1;
    if (text[i] === '}') depth -= 1;
    if (depth === 0) return i;
  }
  return -1;
}

function readInfo(
  source: SourceText,
  from: number,
  to: number,
): ReadonlyMap<string, { readonly value: string; readonly at: Position }> {
  const info = new Map<string, { readonly value: string; readonly at: Position }>();
  for (const match of source.text
    .slice(from, to)
    .matchAll(/^[ \t]*(\w+)[ \t]*=[ \t]*([^\n]*)$/gm)) {
    const at = source.position(from + match.index);
    info.set((match[1] ?? '').toLowerCase(), { value: (match[2] ?? '').trim(), at });
  }
  return info;
}

interface Cell {
  readonly text: string;
  readonly at: Position;
}

interface Grid {
  readonly columns: readonly HerdColumn[];
  readonly end: number;
}

function readGrid(source: SourceText, from: number): Grid {
  const { text } = source;
  const rows: Cell[][] = [];
  let offset = from;
  for (;;) {
    offset += /^[\s;]*/.exec(text.slice(offset))?.[0].length ?? 0;
    const end = text.indexOf(';', offset);
    if (end < 0 || TAIL.test(text.slice(offset, offset + 16))) break;
    rows.push(readRow(source, offset, end));
    offset = end + 1;
  }
  const [header, ...body] = rows;
  if (header === undefined) {
    return reject('syntax', source.position(offset), 'there is no code.');
  }
  const columns = header.map((cell, index): HerdColumn => {
    const match = /^P(\d+)(\.F)?$/.exec(cell.text);
    if (match === null) {
      return reject('syntax', cell.at, `\`${cell.text}\` is not the name of a thread, such as P0.`);
    }
    const lines = body.flatMap((row) => {
      const own = row[index];
      return own === undefined || own.text === '' ? [] : [splitLabels(own)];
    });
    return { thread: Number(match[1]), handler: match[2] !== undefined, at: cell.at, lines };
  });
  for (const row of body) {
    const extra = row[columns.length];
    if (extra !== undefined && extra.text !== '') {
      return reject('syntax', extra.at, 'this row has more columns than there are threads.');
    }
  }
  return { columns, end: offset };
}

function readRow(source: SourceText, from: number, to: number): Cell[] {
  const cells: Cell[] = [];
  let offset = from;
  for (const part of source.text.slice(from, to).split('|')) {
    const lead = /^\s*/.exec(part)?.[0].length ?? 0;
    cells.push({ text: part.trim(), at: source.position(offset + lead) });
    offset += part.length + 1;
  }
  return cells;
}

/** `L0: L1: LDR W0,[X1]`. */
function splitLabels(cell: Cell): CodeLine {
  const labels: string[] = [];
  let rest = cell.text;
  for (;;) {
    const match = /^([A-Za-z_.$][\w.$]*)\s*:\s*/.exec(rest);
    if (match === null) return { labels, text: rest, at: cell.at };
    labels.push(match[1] ?? '');
    rest = rest.slice(match[0].length);
  }
}
