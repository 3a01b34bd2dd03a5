import { DEFAULT_FEATURES } from '../src/arm64/features.ts';
import { deferredRangeFlush } from '../src/candidates/unmap-stage2-range/deferred-range-flush.ts';
import { perPageFlush } from '../src/candidates/unmap-stage2-range/per-page-flush.ts';
import { unmapThenMapBlock } from '../src/candidates/replace-table-by-block/candidates.ts';
import type { Candidate } from '../src/candidates/candidate.ts';
import { summarise } from '../src/explore/summary/summarise.ts';
import { ALL_RULES } from '../src/rules/all-rules.ts';
import { isInputError } from '../src/scenario/input-error.ts';

/** One summary. */
export interface FullSizeRow {
  readonly question: string;
  readonly pages: number;
  readonly mapping: string;
  readonly result: string;
  readonly effects: number;
  readonly classes: number;
  readonly states: number;
  /** Processor time of this process, which other work on the computer does not add to. */
  readonly cpuMs: number;
  readonly ms: number;
  /** Resident memory of the process afterwards, in MiB: what came before is in it. */
  readonly residentMib: number;
}

interface Question {
  readonly name: string;
  readonly candidate: Candidate;
  readonly fwb: boolean;
  readonly mapping: string;
}

const QUESTIONS: readonly Question[] = [
  { name: 'baseline, no FWB', candidate: perPageFlush, fwb: false, mapping: '4k' },
  { name: 'seed, FWB', candidate: deferredRangeFlush, fwb: true, mapping: '4k' },
  { name: 'seed, no FWB', candidate: deferredRangeFlush, fwb: false, mapping: '4k' },
];

/** At the size of the seed only. */
const OTHERS: readonly Question[] = [
  { name: 'baseline, no FWB', candidate: perPageFlush, fwb: false, mapping: '2m' },
  { name: 'baseline, no FWB', candidate: perPageFlush, fwb: false, mapping: '1g' },
  { name: 'baseline, no FWB', candidate: perPageFlush, fwb: false, mapping: 'mixed' },
  { name: 'collapse to blocks of 1 GiB', candidate: unmapThenMapBlock, fwb: false, mapping: '1g' },
];

const FULL = 262_144;

/** Growth with pages, then the other mappings at full size. `most`: larger sizes are left out. */
export function fullSizeRows(now: () => number, most: number): readonly FullSizeRow[] {
  const sizes = [1024, 8192, 65_536, FULL].filter((pages) => pages <= most);
  return [
    ...QUESTIONS.flatMap((question) => sizes.map((pages) => run(question, pages, now))),
    ...(most < FULL ? [] : OTHERS.map((question) => run(question, FULL, now))),
  ];
}

function run(
  { name, candidate, fwb, mapping }: Question,
  pages: number,
  now: () => number,
): FullSizeRow {
  const features = { ...DEFAULT_FEATURES, fwb };
  const cpu = process.cpuUsage();
  const start = now();
  const found = summarise(candidate, { features, pages, mapping }, ALL_RULES, {
    states: 1_000_000,
  });
  const ms = now() - start;
  const { user, system } = process.cpuUsage(cpu);
  if (isInputError(found)) throw new Error(found.message);
  if (found.kind === 'out-of-reach') throw new Error(found.reason);
  const verdicts = found.outcomes.map(({ verdict }) => verdict);
  const { effects, classes, states } = found;
  return {
    question: name,
    pages,
    mapping,
    result:
      (['refuted', 'inconclusive'] as const).find((each) => verdicts.includes(each)) ?? 'verified',
    effects,
    classes: classes.length,
    states,
    cpuMs: (user + system) / 1000,
    ms,
    residentMib: process.memoryUsage().rss / 2 ** 20,
  };
}
