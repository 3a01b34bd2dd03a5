import { cpus } from 'node:os';
import { firstFinds, hitRows, strategyRows } from './first-find.ts';
import { steeringRows } from './steering.ts';
import { count, table } from './table.ts';

/**
 * `npm run bench:random`: how soon random schedules break a rule, for every broken variant of the
 * catalogue, as tables on stdout. Times are of the processor, in one process: what else the computer
 * does at the time hardly shows. `TLBGATE_BENCH_SEEDS` is the number of searches for each variant.
 */
const SEEDS = Number(process.env['TLBGATE_BENCH_SEEDS'] ?? 20);
const SIZES = [
  [3, 3],
  [4, 6],
] as const;

const cpu = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

console.log(
  `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'}; milliseconds of processor time`,
);

// The compiler of the process is warm; each search that is measured has a machine of its own all the same.
for (const [vcpus, pages] of SIZES) firstFinds(cpu, vcpus, pages, 1, () => undefined);

const bySize = SIZES.map(([vcpus, pages]) =>
  firstFinds(cpu, vcpus, pages, SEEDS, (row) =>
    console.error(
      `${vcpus} x ${pages} ${row.variant}, ${row.rule}: ${row.ms.toFixed(0)} ms, ${row.found} of ${row.seeds}`,
    ),
  ),
);
console.log(
  `\n## From an empty machine to the first counterexample: medians of ${SEEDS} seeds (vCPUs x pages)\n`,
);
const heads = SIZES.map(([vcpus, pages]) => `${vcpus} x ${pages}`);
console.log(
  table(
    ['variant', 'rule', ...heads.flatMap((size) => [`ms ${size}`, '90 %', 'runs', 'found'])],
    (bySize[0] ?? []).map(({ variant, rule }, i) => [
      variant,
      rule,
      ...bySize.flatMap((rows) => {
        const row = rows[i];
        return row === undefined
          ? []
          : [row.ms.toFixed(0), row.ms90.toFixed(0), String(row.runs), `${row.found}/${row.seeds}`];
      }),
    ]),
  ),
);
for (const [i, rows] of bySize.entries()) {
  const slow = rows.filter(({ ms }) => ms > 50);
  console.log(
    `\n${heads[i] ?? ''}: ${rows.length - slow.length} of ${rows.length} within a median of 50 ms.`,
  );
}

const RUNS = 50;
for (const [vcpus, pages] of SIZES) {
  console.log(`\n## Single runs at ${vcpus} x ${pages}, ${RUNS} of each variant, in percent\n`);
  console.log(
    table(
      ['strategy', 'least', 'median', 'most', 'variants never hit', 'of', 'runs/s', 'steps/s'],
      hitRows(cpu, vcpus, pages, RUNS).map((row) => [
        row.strategy,
        row.least.toFixed(0),
        row.median.toFixed(0),
        row.most.toFixed(0),
        String(row.never),
        String(row.variants),
        count(row.runsPerSecond),
        count(row.stepsPerSecond),
      ]),
    ),
  );
}

console.log('\n## Strategies alone, 4 x 6, 3 seeds, at most 3 s a search\n');
console.log(
  table(
    ['strategy', 'found from every seed', 'from none', 'of', 'median ms'],
    strategyRows(cpu, 4, 6).map((row) => [
      row.strategy,
      String(row.always),
      String(row.never),
      String(row.variants),
      row.ms.toFixed(0),
    ]),
  ),
);

console.log('\n## Campaigns with and without steering, 5 seeds each, ascending\n');
console.log(
  table(
    ['question', 'steered', 'not steered'],
    steeringRows().map(({ question, steered, unsteered }) => [
      question,
      steered.join(', '),
      unsteered.join(', '),
    ]),
  ),
);
