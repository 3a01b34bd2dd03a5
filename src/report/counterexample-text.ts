import type { Counterexample } from './counterexample.ts';
import { labelled } from './layout.ts';
import { hex } from './observe.ts';
import { runTable, shortFile } from './run-table.ts';
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
  const hostsOnly = !example.rows.some(
    (row) => row.number !== null && row.kind === 'host' && row.column >= example.scenario.hosts,
  );
  const names = example.columns.slice(0, -1);
  return runTable(names, example.rows, hostsOnly ? 'first' : 'host', style);
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
