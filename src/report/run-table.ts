import type { SourceLocation } from '../program/source-location.ts';
import { wrap } from './layout.ts';
import type { Style } from './style.ts';

/** One row of a run: what one agent did, and what that changed. */
export interface TableRow {
  /** 1-based number of a step that matters; null for one that is folded away. */
  readonly number: number | null;
  /** Index of its CPU; what has no CPU of its own has an index behind them. */
  readonly column: number;
  readonly text: string;
  /** Instructions worth naming: `DC CIVAC 0x80000000; DSB sy`. */
  readonly detail: string;
  readonly at: SourceLocation | null;
  readonly changes: readonly string[];
  /** The moment the failure becomes possible, or happens. */
  readonly isKey: boolean;
}

/** How wide the columns of the CPUs are. */
export type ColumnShape =
  /** All alike. */
  | 'even'
  /** The first one gets what it asks for, within reason. */
  | 'first'
  /** The first one is as wide as all CPUs have room for on average, the others narrower. */
  | 'host';

/** A run as a table: a column per CPU that does something, a row per step, what changed last. */
export function runTable(
  names: readonly string[],
  rows: readonly TableRow[],
  shape: ColumnShape,
  style: Style,
): readonly string[] {
  const shown = rows.filter(({ number }) => number !== null);
  const used = names
    .map((_, column) => column)
    .filter((column) => shown.some((row) => row.column === column));
  const cpus = used.map((column) => names[column] ?? '');
  const widths = columnWidths(cpus.length, shown, used[0] ?? 0, shape, style.width);
  const bar = style.unicode ? ' │ ' : ' | ';
  const rule = (style.unicode ? '─┼─' : '-+-').replace(' ', '');
  const line = (style.unicode ? '─' : '-').repeat.bind(style.unicode ? '─' : '-');
  const ruler = [line(5), ...widths.map((width) => line(width))].join(rule);
  const lines = [
    ['step'.padStart(5), ...[...cpus, 'changes'].map((c, i) => fit(c, widths[i] ?? 0))].join(bar),
    ruler,
  ];
  let folded: TableRow[] = [];
  const flush = (): void => {
    if (folded.length > 0) lines.push(style.dim(foldedText(folded, style)));
    folded = [];
  };
  for (const row of rows) {
    if (row.number === null) {
      folded.push(row);
      continue;
    }
    flush();
    const column = used.indexOf(row.column);
    lines.push(
      ...rowText(
        { ...row, column: column < 0 ? cpus.length : column },
        widths,
        cpus.length,
        bar,
        style,
      ),
    );
  }
  flush();
  lines.push(ruler);
  return lines.map((text) => text.trimEnd());
}

/** Of the CPUs, then of the changes. */
function columnWidths(
  cpus: number,
  rows: readonly TableRow[],
  firstColumn: number,
  shape: ColumnShape,
  width: number,
): readonly number[] {
  const room = width - 5 - 3 * (cpus + 1);
  if (shape === 'even') {
    const each = Math.floor((room * (cpus === 1 ? 0.62 : 0.7)) / cpus);
    return [...Array.from({ length: cpus }, () => each), room - each * cpus];
  }
  // The host's column is as wide as its longest word asks for, within reason.
  const words = rows
    .filter((row) => row.column === firstColumn)
    .flatMap(({ text }) => text.split(' ').map((word) => word.length));
  const wanted = Math.min(32, Math.max(24, ...words));
  const first =
    cpus === 1
      ? Math.floor(room * 0.62)
      : shape === 'first'
        ? wanted
        : Math.floor((room * 0.64) / cpus);
  const last = cpus === 1 ? room - first : Math.floor((room - first) * 0.58);
  const others = cpus > 1 ? Math.floor((room - last - first) / (cpus - 1)) : 0;
  return [...Array.from({ length: cpus }, (_, i) => (i === 0 ? first : others)), last];
}

function rowText(
  row: TableRow,
  widths: readonly number[],
  cpus: number,
  bar: string,
  style: Style,
): readonly string[] {
  const where = row.at === null || row.at.line === 0 ? '' : `  ${shortFile(row.at)}`;
  const text = `${row.text}${where}`;
  const changes = row.changes.flatMap((change) => wrap(change, widths[cpus] ?? 20));
  // What has no CPU of its own stands across all of them.
  const spans = row.column >= cpus;
  const width = spans
    ? widths.slice(0, cpus).reduce((sum, each) => sum + each, 0) + 3 * (cpus - 1)
    : (widths[row.column] ?? 20);
  const detail = row.detail === '' ? [] : wrap(row.detail, width - 2).map((each) => `  ${each}`);
  const own = [...wrap(spans ? `(any CPU) ${text}` : text, width), ...detail];
  const height = Math.max(own.length, changes.length);
  const number = `${row.isKey ? '*' : ' '} ${String(row.number).padStart(2)} `;
  return Array.from({ length: height }, (_, i) => {
    const cells = spans
      ? [fit(own[i] ?? '', width)]
      : widths.slice(0, cpus).map((w, c) => fit(c === row.column ? (own[i] ?? '') : '', w));
    const all = [i === 0 ? number : '     ', ...cells, changes[i] ?? ''].join(bar);
    return row.isKey ? style.bold(all) : all;
  });
}

function foldedText(rows: readonly TableRow[], style: Style): string {
  const names = rows.map(({ text }) => text);
  const mark = style.unicode ? '⋮' : ':';
  const [head = ''] = wrap(names.join('; '), style.width - 12);
  const whole = names.join('; ');
  return `   ${mark}    ${head.length < whole.length ? `${head} ...` : head}`;
}

function fit(text: string, width: number): string {
  return text.slice(0, width).padEnd(width);
}

/** `mmu.c:279`. */
export function shortFile({ file, line }: SourceLocation): string {
  return `${file.split('/').at(-1) ?? file}:${line}`;
}
