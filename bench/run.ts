import { cpus } from 'node:os';
import { allocationRows } from './allocation.ts';
import { conformanceRows } from './conformance.ts';
import {
  contentRows,
  factorRows,
  reductionRows,
  verdictRows,
  WAYS,
  windowRows,
  type SearchRow,
} from './exhaustive.ts';
import { kernelRows } from './kernel.ts';
import { orbitRows } from './page-orbits.ts';
import { randomRows } from './random.ts';
import { shortestRows } from './shortest.ts';
import { fullSizeRows } from './full-size.ts';
import { count, table, time } from './table.ts';

/**
 * `npm run bench`: how fast the explorers are, as tables on stdout. `TLBGATE_BENCH_STATES` is the limit of
 * one search; a search that reaches it says so instead of a verdict. `TLBGATE_BENCH_PLAIN` is the same for plain searches
 * that are compared with reduced ones. `TLBGATE_BENCH_PAGES` is the largest range that is
 * looked at as a whole.
 */
const STATES = Number(process.env['TLBGATE_BENCH_STATES'] ?? 1_000_000);
/** Most states of a plain search in the table of ratios: about 100 bytes each, and what steps are remembered. */
const PLAIN_STATES = Number(process.env['TLBGATE_BENCH_PLAIN'] ?? 5_000_000);
const now = (): number => performance.now();

function say(title: string, text: string): void {
  console.log(`\n## ${title}\n\n${text}`);
}

const model = cpus()[0]?.model ?? 'unknown CPU';
console.log(
  `Node ${process.version}, ${model}, one thread; at most ${count(STATES)} states a search`,
);

say(
  'Exhaustive search: time to the verdict (vCPUs x pages)',
  table(
    ['question', 'size', 'result', 'states', 'transitions', 'time', 'states/s', 'transitions/s'],
    verdictRows(now, STATES).map((row) => [
      row.question,
      row.size,
      result(row),
      count(row.states),
      count(row.transitions),
      time(row.ms),
      count((1000 * row.states) / row.ms),
      count((1000 * row.transitions) / row.ms),
    ]),
  ),
);

say(
  'Reductions: states and time of the pass of the baseline (vCPUs x pages)',
  table(
    ['size', ...WAYS.map(wayName), 'ratio'],
    reductionRows(now, STATES).map((rows) => [
      rows[0]?.size ?? '',
      ...rows.map((row) =>
        row.result === 'limit' ? 'limit' : `${count(row.states)} in ${time(row.ms)}`,
      ),
      ratio(rows),
    ]),
  ),
);

say(
  'The JavaScript heap: bytes allocated for each transition (vCPUs x pages)',
  table(
    [
      'question',
      'size',
      'states',
      'transitions',
      'first search',
      'processor',
      'later search',
      'processor',
      'states/s',
      'transitions/s',
    ],
    allocationRows(STATES).map((row) => [
      row.question,
      row.size,
      count(row.states),
      count(row.transitions),
      `${row.first.toFixed(1)} B`,
      time(row.firstMs),
      `${row.later.toFixed(1)} B`,
      time(row.laterMs),
      count((1000 * row.states) / row.laterMs),
      count((1000 * row.transitions) / row.laterMs),
    ]),
  ),
);

say(
  'The most that a symmetry over pages, and sleep sets, could save (docs/reduction.md)',
  table(
    [
      'question',
      'size',
      'states',
      'left-overs',
      'and futures',
      'symmetry, at most',
      'steps',
      'to known states',
      'sleep sets, at most',
    ],
    orbitRows(STATES).map((row) => [
      row.question,
      row.size,
      count(row.states),
      count(row.leftOver),
      count(row.classes),
      `${(row.states / row.classes).toFixed(2)} x fewer states`,
      count(row.steps),
      count(row.repeated),
      `${((100 * row.repeated) / row.steps).toFixed(0)} % of the steps`,
    ]),
  ),
);

/** Pages of the largest summary. */
const MOST_PAGES = Number(process.env['TLBGATE_BENCH_PAGES'] ?? 262_144);

say(
  'Any guest, any number of vCPUs: whole operations (docs/proof.md)',
  table(
    [
      'question',
      'pages',
      'mapped by',
      'result',
      'effects',
      'classes',
      'states',
      'processor',
      'time',
      'MiB after',
    ],
    fullSizeRows(now, MOST_PAGES).map((row) => [
      row.question,
      count(row.pages),
      row.mapping,
      row.result,
      count(row.effects),
      count(row.classes),
      count(row.states),
      time(row.cpuMs),
      time(row.ms),
      count(row.residentMib),
    ]),
  ),
);

say(
  'The same with fewer instructions in flight, where plain search finishes',
  table(
    ['in flight', 'size', 'plain', 'all reductions', 'ratio'],
    factorRows(now, PLAIN_STATES).map(({ window, rows }) => [
      String(window),
      rows[0].size,
      ...rows.map((row) =>
        row.result === 'limit' ? 'limit' : `${count(row.states)} in ${time(row.ms)}`,
      ),
      ratio(rows),
    ]),
  ),
);

say(
  'The whole library, by instructions in flight',
  table(
    ['in flight', 'situations', 'refuted', 'limit', 'states', 'time'],
    windowRows(now, STATES).map((row) => [
      String(row.window),
      count(row.situations),
      count(row.refuted),
      count(row.limits),
      count(row.states),
      time(row.ms),
    ]),
  ),
);

say(
  'What states are made of: the seed with FWB',
  table(
    ['size', 'states', 'bytes a state', 'different contents'],
    contentRows(STATES).map((row) => [
      row.size,
      count(row.states),
      row.bytesPerState.toFixed(0),
      count(row.contents),
    ]),
  ),
);

const shortest = shortestRows(now, { vcpus: 3, pages: 3 });
say(
  'Cheapest violation of every broken candidate at 3 x 3, no FWB',
  table(
    ['candidate', 'rule', 'cost', 'events', 'states', 'time'],
    [
      ...shortest.map((row) => [
        row.candidate,
        row.rule,
        row.cost === null ? '' : count(row.cost),
        count(row.events),
        count(row.states),
        time(row.ms),
      ]),
      ['together', '', '', '', '', time(shortest.reduce((sum, { ms }) => sum + ms, 0))],
    ],
  ),
);

say(
  'Random schedules of the seed without FWB (vCPUs x pages)',
  table(
    [
      'size',
      'strategy',
      'runs that break a rule',
      'runs/s',
      'steps/s',
      'steps a run',
      'time to a find',
    ],
    randomRows(now).map((row) => [
      row.size,
      row.strategy,
      `${row.hitRate.toFixed(1)} %`,
      count(row.runsPerSecond),
      count(row.stepsPerSecond),
      count(row.stepsPerRun),
      time(row.msPerFind),
    ]),
  ),
);

const kernel = kernelRows(now, STATES);
if (kernel.loads.length > 0) {
  say(
    "The kernel's C: loading a tree (TLBGATE_TREE_*)",
    table(
      ['tree', 'profile', 'load', 'again with a changed tlb.c', 'memory'],
      kernel.loads.map((row) => [
        row.tree,
        row.profile,
        time(row.loadMs),
        time(row.againMs),
        `${row.megabytes.toFixed(0)} MB`,
      ]),
    ),
  );
  say(
    "The kernel's C: scenarios of the library, with FWB",
    table(
      ['tree', 'scenario', 'set-up', 'result', 'states', 'search'],
      kernel.scenarios.map((row) => [
        row.tree,
        row.scenario,
        time(row.setupMs),
        row.result,
        count(row.states),
        time(row.searchMs),
      ]),
    ),
  );
}

const conformance = process.argv.includes('--no-conformance') ? [] : conformanceRows();
if (conformance.length > 0) {
  say(
    'Conformance with the litmus references',
    table(
      ['reference', 'engine', 'tests', 'equal', 'time', 'median', 'reference', 'its median'],
      conformance.map((row) => [
        row.reference,
        row.engine,
        count(row.tests),
        count(row.equal),
        time(row.totalMs),
        time(row.medianMs),
        row.referenceTotalMs === null ? '' : time(row.referenceTotalMs),
        row.referenceMedianMs === null ? '' : time(row.referenceMedianMs),
      ]),
    ),
  );
}

function result({ result: kind }: SearchRow): string {
  return { exhausted: 'verified', violation: 'refuted', limit: 'limit' }[kind];
}

function wayName({ reduced, wholeAccesses, symmetric }: (typeof WAYS)[number]): string {
  const names = [
    ...(reduced ? ['eager'] : []),
    ...(wholeAccesses ? ['whole accesses'] : []),
    ...(symmetric ? ['PEs alike'] : []),
  ];
  if (names.length === 3) return 'all three';
  return names.length === 0 ? 'plain' : names.join(' + ');
}

/** States of the plain search for each state of the most reduced one. */
function ratio(rows: readonly SearchRow[]): string {
  const [plain] = rows;
  const best = rows.at(-1);
  if (plain === undefined || best === undefined || best.result === 'limit') return '';
  const times = plain.states / best.states;
  return plain.result === 'limit' ? `more than ${times.toFixed(1)}` : times.toFixed(1);
}
