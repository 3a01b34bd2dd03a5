import { SEED_TABLE, type SeedCheck, type SeedRow } from '../../explore/seed-table.ts';
import { VARIANT_TABLE } from '../../explore/variant-table.ts';
import { labelled } from '../../report/layout.ts';
import { EXIT } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { styleOf } from '../style.ts';

/** A row with the answers of this run. */
interface Asked {
  readonly row: SeedRow;
  readonly checks: readonly SeedCheck[];
}

/**
 * `tlbgate seed-table`: every row of the two tables is asked again, and both verdicts are shown. Exit code
 * 0 when all agree, 1 otherwise.
 */
export function seedTableCommand(options: { readonly json?: boolean }, io: Io): number {
  const style = styleOf(io);
  const rows: Asked[] = [];
  const ask = (title: string, table: readonly SeedRow[]): readonly Asked[] => {
    if (options.json !== true) io.out(`${rows.length === 0 ? '' : '\n'} ${title}\n`);
    const asked = table.map((row): Asked => {
      const checks = row.checks();
      if (options.json !== true) io.out(`${rowText(row, checks, style.width)}\n`);
      return { row, checks };
    });
    rows.push(...asked);
    return asked;
  };
  const seed = ask('the seed (seed.md 1.5)', SEED_TABLE);
  const variants = ask('variants around the seed (seed.md 1.8)', VARIANT_TABLE);
  const wrong = rows.filter(({ checks }) => !agree(checks));
  if (options.json === true) {
    const table = (of: readonly Asked[]): readonly unknown[] =>
      of.map(({ row: { no, question, expected }, checks }) => ({
        no,
        question,
        expected,
        agrees: agree(checks),
        checks,
      }));
    io.out(`${JSON.stringify({ format: 1, rows: table(seed), variants: table(variants) })}\n`);
  } else {
    const counts = `${rows.length - wrong.length} of ${rows.length} rows agree`;
    io.out(
      `\n ${counts}${wrong.length === 0 ? '' : `; not: ${wrong.map(({ row }) => row.question).join(', ')}`}\n`,
    );
  }
  return wrong.length === 0 ? EXIT.verified : EXIT.refuted;
}

function agree(checks: readonly SeedCheck[]): boolean {
  return checks.every(({ expected, obtained }) => expected === obtained);
}

function rowText(row: SeedRow, checks: readonly SeedCheck[], width: number): string {
  const lines = [
    ...labelled(`${String(row.no).padStart(2)}  `, row.question, width),
    ...labelled('    expected  ', row.expected, width),
  ];
  // Checks with one result are one line.
  const byResult = new Map<string, string[]>();
  for (const { what, expected, obtained } of checks) {
    const same = expected === obtained;
    const key = same ? `ok ${obtained}` : `XX ${obtained}, expected ${expected}`;
    byResult.set(key, [...(byResult.get(key) ?? []), what]);
  }
  for (const [result, whats] of byResult) {
    lines.push(...labelled(`    ${result}: `, whats.join('; '), width));
  }
  return lines.join('\n');
}
