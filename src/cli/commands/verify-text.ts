import { match } from 'ts-pattern';
import { CANDIDATES } from '../../candidates/catalogue.ts';
import type { FoundRun } from '../../explore/counterexample-search.ts';
import { referenceFor, whatFlips } from '../../explore/finding.ts';
import { randomSearch } from '../../explore/random.ts';
import { sensitivity } from '../../explore/sensitivity.ts';
import type { FullSizeVerification } from '../../explore/summary/verify-full-size.ts';
import type { Verification } from '../../explore/verify.ts';
import { counterexample } from '../../report/counterexample.ts';
import { headerText, keyText, rolesText, runText } from '../../report/counterexample-text.ts';
import { fullSizeText } from '../../report/full-size.ts';
import { flipsText } from '../../report/flips-text.ts';
import { count, labelled } from '../../report/layout.ts';
import { sensitivityText } from '../../report/sensitivity-text.ts';
import {
  conditionOf,
  conditionWords,
  expectedText,
  groundsText,
  machinesText,
  rulesText,
} from '../../report/verification-text.ts';
import type { Rule } from '../../rules/rule.ts';
import { exitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { styleOf } from '../style.ts';
import { replayName, shownRefutations, type RunFinder } from './runs.ts';

/** States of one search that looks at the neighbourhood of a verdict. */
const STATES_NEARBY = 1_000_000;
const STATES_PER_REMOVAL = 200_000;

/** Random runs tried when a seed is given. */
const RANDOM_RUNS = 2000;

/** What the report depends on beside the verification. */
export interface ReportOptions {
  /** The subject as it was written on the command line. */
  readonly name: string;
  /** Where the candidate is found again: its id, or the path of the user's module. */
  readonly source: string;
  readonly out?: string;
  readonly seed?: number;
  readonly expired: () => boolean;
  /** The summary, where the question was about a full size, and how long the verdict took. */
  readonly fullSize?: FullSizeVerification & { readonly milliseconds: number };
}

/** The whole report. */
export function reportText(
  verification: Verification,
  finder: RunFinder,
  options: ReportOptions,
  io: Io,
): string {
  const { name } = options;
  const style = styleOf(io);
  const { candidate, verdict } = verification;
  const lines: string[] = [
    `${style.bold(candidate.id)}`,
    ...labelled('  ', candidate.title, style.width),
    ...labelled('  mirrors ', mirrorsWords(verification), style.width),
    '',
    ...rulesText(verification, style),
    '',
  ];
  for (const { run, result } of shownRefutations(verification)) {
    const found = finder(run, result);
    if (found === null) continue;
    const example = counterexample(candidate, result.rule, found);
    const reference = referenceFor(candidate, CANDIDATES, found.scenario);
    const limits = { states: STATES_NEARBY };
    const flips = whatFlips(found, candidate, reference, result.rule, limits);
    const numbered = example.rows.filter((row) => row.number !== null);
    const file = replayName(found, result.rule, options.source);
    const directory = options.out ?? 'DIR';
    const key = example.rows.find((row) => row.isKey);
    lines.push(
      ...headerText(example, style),
      '',
      ...runText(example, style),
      '',
      ...keyText(example, style),
      ...rolesText(example, style),
      '',
      ...flipsText(
        flips,
        found.scenario,
        conditionWords(conditionOf(verification, result.rule)),
        style,
      ),
      '',
      ...(options.out === undefined ? [` keep      tlbgate verify ${name} --out DIR`] : []),
      ` replay    tlbgate replay ${directory}/${file}`,
      ` stop      tlbgate replay ${directory}/${file} --until ${key?.until ?? example.labels.length} --show tlb,cache,memory`,
      ` meaning   tlbgate explain ${result.rule.id}`,
      ...labelled(
        ' found     ',
        found.minimal
          ? `${numbered.length} steps (${example.labels.length} events), minimal: all cheaper runs of this scenario were looked at (${count(found.explored)} states)`
          : `${numbered.length} steps (${example.labels.length} events), not proved minimal`,
        style.width,
      ),
      ...(options.seed === undefined
        ? []
        : labelled(' random    ', randomWords(found, result.rule, options.seed), style.width)),
      '',
    );
  }
  const code = exitCode(verdict);
  if (verdict === 'verified') {
    const limits = { states: STATES_PER_REMOVAL, expired: options.expired };
    lines.push(...sensitivityText(sensitivity(verification, limits), style), '');
  }
  const { fullSize } = options;
  if (fullSize !== undefined) lines.push(...fullSizeText(fullSize, style.width));
  lines.push(
    ...machinesText(verification, style),
    '',
    ...groundsText(verification, style),
    '',
    ...(verdict === 'inconclusive' ? [] : expectedText(verification, style)),
    ...(fullSize === undefined
      ? []
      : [` time      ${(fullSize.milliseconds / 1000).toFixed(1)} s to the verdict`]),
    ` verdict   ${verdictWords(verification)}     exit ${code}`,
  );
  return `${lines.join('\n')}\n`;
}

function mirrorsWords({ candidate }: Verification): string {
  const kernels = [...new Set(candidate.mirrors.map(({ kernel }) => kernel))].join(', ');
  return `${kernels}: ${candidate.mirrors.map((mirror) => mirror.function).join(', ')}`;
}

function verdictWords({ verdict }: Verification): string {
  return match(verdict)
    .with('verified', () => 'verified within bounds')
    .with('refuted', () => 'refuted')
    .with('inconclusive', () => 'inconclusive (a limit was reached before all states were seen)')
    .exhaustive();
}

/** How soon random schedules of the same scenario break the same rule. */
function randomWords(found: FoundRun, rule: Rule, seed: number): string {
  const { machine, scenario } = found;
  const result = randomSearch(machine, seed, {
    hosts: scenario.hosts,
    rules: [rule],
    runs: RANDOM_RUNS,
  });
  return result.found === null
    ? `seed ${seed}: not found in ${result.runs} runs`
    : `seed ${seed}: found in run ${result.runs}, ${result.found.run.steps.length} events; the run above is the minimum of the same scenario`;
}
