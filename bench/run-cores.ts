import { cpus } from 'node:os';
import { coresRows } from './cores.ts';
import { count, table, time } from './table.ts';

/**
 * `npm run bench:cores`: states per second of one search on one core and on two, as a table on stdout.
 * `TLBGATE_BENCH_STATES` is the limit of a search. By the clock it says something on a computer that does
 * nothing else; the time of the processor says on any computer what sharing costs.
 */
const STATES = Number(process.env['TLBGATE_BENCH_STATES'] ?? 2_000_000);

console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}\n`);
const rows = await coresRows(() => performance.now(), STATES);
console.log(
  table(
    [
      'size',
      'verdict',
      'states',
      'one thread',
      'states/s',
      'two threads',
      'states/s',
      'faster',
      'processor, one',
      'processor, two',
      'of both threads, not lost',
    ],
    rows.map(({ size, verdict, states, one, two }) => [
      size,
      verdict,
      count(states),
      time(one.clock),
      count((1000 * states) / one.clock),
      time(two.clock),
      count((1000 * states) / two.clock),
      (one.clock / two.clock).toFixed(2),
      time(one.processor),
      time(two.processor),
      `${((100 * one.processor) / two.processor).toFixed(0)} %`,
    ]),
  ),
);
