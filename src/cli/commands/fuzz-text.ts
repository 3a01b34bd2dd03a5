import { count, labelled } from '../../report/layout.ts';
import type { Io } from '../io.ts';
import { styleOf } from '../style.ts';

/** A run that broke a rule, as a campaign reports it. */
export interface ReportedFinding {
  readonly candidate: string;
  readonly rule: string;
  readonly events: number;
  readonly file: string;
  /** Found in this session. */
  readonly isNew: boolean;
}

/** What a session of a campaign came to. */
export interface FuzzReport {
  readonly subjects: number;
  readonly seed: number;
  readonly shard: string;
  readonly corpus: string;
  /** Numbers of the first run of the session, and of the first one after it. */
  readonly first: number;
  readonly next: number;
  readonly runs: number;
  readonly steps: number;
  /** Runs for which no scenario was drawn that a machine can have. */
  readonly impossible: number;
  /** Runs that broke a rule, whether or not it was known. */
  readonly broke: number;
  readonly entries: number;
  readonly newEntries: number;
  readonly combinations: number;
  readonly findings: readonly ReportedFinding[];
  /** Replay files in the corpus that break nothing any more. */
  readonly mended: readonly string[];
  readonly skipped: readonly string[];
  readonly interrupted: boolean;
}

/** For scripts. */
export function fuzzJson(report: FuzzReport): unknown {
  return { format: 1, verdict: verdictOf(report), ...report };
}

function verdictOf({ findings, runs, impossible }: FuzzReport): string {
  if (findings.length > 0) return 'found';
  return runs - impossible > 0 ? 'nothing found' : 'nothing run';
}

/** For people. */
export function fuzzText(report: FuzzReport, io: Io): string {
  const style = styleOf(io);
  const line = (label: string, text: string): readonly string[] =>
    labelled(` ${label.padEnd(10)}`, text, style.width);
  const { findings } = report;
  const candidates = `${count(report.subjects)} candidate${report.subjects === 1 ? '' : 's'}`;
  const lines = [
    ...line(
      'fuzz',
      `${candidates}, seed ${report.seed}, shard ${report.shard}, corpus ${report.corpus}`,
    ),
    ...line(
      'runs',
      `${count(report.runs)} (numbers ${report.first} to ${report.next - 1}), ${count(report.steps)} steps${report.impossible === 0 ? '' : `, ${count(report.impossible)} without a scenario that can be`}`,
    ),
    ...line(
      'facts',
      `${count(report.combinations)} combinations, by ${count(report.entries)} entries of which ${count(report.newEntries)} are new`,
    ),
    ...report.skipped.flatMap((sentence) => line('skipped', sentence)),
    ...report.mended.flatMap((file) =>
      line('mended', `${file} breaks its rule no more, as the candidate and tlbgate are now`),
    ),
    ...(report.interrupted ? line('stopped', 'the same command goes on from here') : []),
  ];
  for (const { candidate, rule, events, file, isNew } of findings) {
    lines.push(
      '',
      ...line('found', `${rule}: ${candidate}, ${events} events${isNew ? '' : ', known before'}`),
      ` replay    tlbgate replay ${file}`,
    );
  }
  const verdict = {
    found: () =>
      `${findings.length} found: ${count(report.broke)} of ${count(report.runs)} runs broke a rule`,
    'nothing found': () =>
      `nothing found in ${count(report.runs)} runs; that is no proof, \`tlbgate verify\` gives one`,
    'nothing run': () => 'nothing run: no scenario that can be was drawn within the budget',
  }[verdictOf(report) as 'found' | 'nothing found' | 'nothing run']();
  const code = { found: 1, 'nothing found': 0, 'nothing run': 3 }[
    verdictOf(report) as 'found' | 'nothing found' | 'nothing run'
  ];
  lines.push('', ` verdict   ${verdict}     exit ${code}`);
  return `${lines.join('\n')}\n`;
}
