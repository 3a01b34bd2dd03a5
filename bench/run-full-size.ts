import { cpus } from 'node:os';
import { catalogueRows } from './full-size-catalogue.ts';
import { count, table, time } from './table.ts';

/**
 * `npm run bench:full-size`: every candidate of the catalogue at full size, as a table on stdout; rows go to
 * stderr as they are made. `TLBGATE_BENCH_BYTES` is the size of the range (1 GiB when not given), and words on the command
 * line are parts of the lines wanted: `16k`, `2m`, `map-stage2`.
 */
const BYTES = Number(process.env['TLBGATE_BENCH_BYTES'] ?? 2 ** 30);
const words = process.argv.slice(2);

console.log(
  `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'}, one thread; ${count(BYTES / 2 ** 20)} MiB, any guest, any number of vCPUs`,
);
const rows = catalogueRows(
  BYTES,
  ({ candidate, granule, mapping }) =>
    words.every((word) => candidate.includes(word) || granule === word || mapping === word),
  (row) => {
    console.error(`${row.candidate} ${row.granule} ${row.mapping}: ${row.verdict} ${row.why}`);
  },
);
console.log(
  `\n${table(
    [
      'candidate',
      'granule',
      'fwb',
      'mapped by',
      'pages',
      'result',
      'rules, or why',
      'classes',
      'states',
      'processor',
      'MiB after',
    ],
    rows.map((row) => [
      row.candidate,
      row.granule,
      row.fwb ? 'on' : 'off',
      row.mapping,
      count(row.pages),
      row.verdict,
      row.why,
      count(row.classes),
      count(row.states),
      time(row.cpuMs),
      count(row.residentMib),
    ]),
  )}`,
);
