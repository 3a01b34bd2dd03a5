import type { SourceLocation } from '../program/source-location.ts';
import type { Counterexample, Row } from './counterexample.ts';
import { labelled, wrap } from './layout.ts';
import { hex } from './observe.ts';
import type { Style } from './style.ts';

/** The header of a counterexample: the rule, the source lines, the start. */
export function headerText(example: Counterexample, style: Style): readonly string[] {
  const { rule, message, spans } = example;
  const lines = [`${style.red(`error[${rule.id}]`)}: ${style.bold(message)}`];
  const primary = spans.find((span) => span.primary) ?? spans[0];
  if (primary !== undefined) {
    lines.push(`  --> ${primary.at.file}:${primary.at.line}  in ${primary.at.function}()`);
    const gutter = Math.max(...spans.map(({ at }) => String(at.line).length));
    const bar = `${' '.repeat(gutter)} |`;
    lines.push(bar);
    for (const { at, note, primary: isPrimary } of spans) {
      const elsewhere = at.file === primary.at.file ? '' : `    (${shortFile(at)})`;
      lines.push(`${String(at.line).padStart(gutter)} |     ${at.text}${elsewhere}`);
      const mark = (isPrimary ? '^' : '-').repeat(at.text.length);
      lines.push(`${bar}     ${isPrimary ? style.red(`${mark} ${note}`) : `${mark} ${note}`}`);
    }
    lines.push(bar);
  }
  lines.push(...labelled('   = rule: ', rule.statement, style.width));
  example.start.forEach((text, i) => {
    lines.push(...labelled(i === 0 ? '   = start: ' : '            ', text, style.width));
  });
  return lines;
}

/** The run as a table: a column per CPU, a row per step, what changed last. */
export function runText(example: Counterexample, style: Style): readonly string[] {
  const used = example.columns
    .map((_, column) => column)
    .filter((column) => column < example.columns.length - 1)
    .filter((column) => example.rows.some((row) => row.number !== null && row.column === column));
  const cpus = used.map((column) => example.columns[column] ?? '');
  const room = style.width - 5 - 3 * (cpus.length + 1);
  const rows = example.rows.filter(({ number }) => number !== null);
  const hostsOnly = !rows.some(
    (row) => row.kind === 'host' && row.column >= example.scenario.hosts,
  );
  // The host's column is as wide as its longest word asks for, within reason.
  const words = rows
    .filter((row) => row.column === used[0])
    .flatMap(({ text }) => text.split(' ').map((word) => word.length));
  const wanted = Math.min(32, Math.max(24, ...words));
  const first =
    cpus.length === 1
      ? Math.floor(room * 0.62)
      : hostsOnly
        ? wanted
        : Math.floor((room * 0.64) / cpus.length);
  const last = cpus.length === 1 ? room - first : Math.floor((room - first) * 0.58);
  const others = cpus.length > 1 ? Math.floor((room - last - first) / (cpus.length - 1)) : 0;
  const widths = [...cpus.map((_, i) => (i === 0 ? first : others)), last];
  const bar = style.unicode ? ' │ ' : ' | ';
  const rule = (style.unicode ? '─┼─' : '-+-').replace(' ', '');
  const line = (style.unicode ? '─' : '-').repeat.bind(style.unicode ? '─' : '-');
  const ruler = [line(5), ...widths.map((width) => line(width))].join(rule);
  const lines = [
    ['step'.padStart(5), ...[...cpus, 'changes'].map((c, i) => fit(c, widths[i] ?? 0))].join(bar),
    ruler,
  ];
  let folded: Row[] = [];
  const flush = (): void => {
    if (folded.length > 0) lines.push(style.dim(foldedText(folded, style)));
    folded = [];
  };
  for (const row of example.rows) {
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

function rowText(
  row: Row,
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

function foldedText(rows: readonly Row[], style: Style): string {
  const names = rows.map(({ text }) => text);
  const mark = style.unicode ? '⋮' : ':';
  const [head = ''] = wrap(names.join('; '), style.width - 12);
  const whole = names.join('; ');
  return `   ${mark}    ${head.length < whole.length ? `${head} ...` : head}`;
}

function fit(text: string, width: number): string {
  return text.slice(0, width).padEnd(width);
}

function shortFile({ file, line }: SourceLocation): string {
  return `${file.split('/').at(-1) ?? file}:${line}`;
}

/** The TLB entry and the copies of memory at the step that matters. */
export function keyText(example: Counterexample, style: Style): readonly string[] {
  const { key } = example;
  if (key === null) return [];
  const status = key.status === 'current' ? 'hit' : `hit, ${key.status.toUpperCase()}`;
  const lines = [
    ` at step ${key.step}`,
    ...labelled(`   TLB of cpu${key.pe}  `, `${key.entry}   <- ${status}`, style.width),
    ...labelled(' '.repeat(`   TLB of cpu${key.pe}  `.length), key.age, style.width),
    `   memory at ${hex(key.address)}`,
    `     D-cache  ${key.cache}`,
    `     RAM      ${key.ram}`,
    `   invalidations issued since: ${key.invalidations}`,
  ];
  if (example.expected !== null) {
    lines.push('', ...labelled('   expected   ', example.expected, style.width));
    lines.push(...labelled('   received   ', style.red(example.received ?? ''), style.width + 10));
  }
  lines.push('');
  return lines;
}

/** What each numbered step is there for. */
export function rolesText(example: Counterexample, style: Style): readonly string[] {
  const rows = example.rows.filter(({ number }) => number !== null);
  return [
    ' why each step is needed',
    ...rows.flatMap(({ number, role }) =>
      labelled(
        `   ${String(number).padStart(2)}  `,
        role ?? 'is the step that goes wrong',
        style.width,
      ),
    ),
  ];
}
