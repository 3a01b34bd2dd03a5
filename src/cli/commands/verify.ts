import { createHash } from 'node:crypto';
import { CANDIDATES } from '../../candidates/catalogue.ts';
import { DEFAULT_FEATURES, type Features } from '../../arm64/features.ts';
import {
  findCounterexample,
  transferCounterexample,
  type FoundRun,
} from '../../explore/counterexample-search.ts';
import { referenceFor, whatFlips } from '../../explore/finding.ts';
import type { Overrides } from '../../explore/library.ts';
import type { SearchLimits } from '../../explore/search.ts';
import {
  verify,
  type FeatureRun,
  type RuleResult,
  type Verification,
} from '../../explore/verify.ts';
import { counterexample } from '../../report/counterexample.ts';
import { headerText, keyText, rolesText, runText } from '../../report/counterexample-text.ts';
import { flipsText } from '../../report/flips-text.ts';
import { verificationJson } from '../../report/json.ts';
import { count, labelled } from '../../report/layout.ts';
import {
  conditionOf,
  conditionWords,
  groundsText,
  machinesText,
  rulesText,
} from '../../report/verification-text.ts';
import { ALL_RULES } from '../../rules/all-rules.ts';
import type { Rule } from '../../rules/rule.ts';
import { applyFeatures } from '../../scenario/codec.ts';
import { inputError, isInputError, type InputError } from '../../scenario/input-error.ts';
import { writeReplay } from '../../scenario/replay-file.ts';
import { labelsOf } from '../../trace/replay.ts';
import { exitCode } from '../exit-codes.ts';
import { parseGuest } from '../guest-option.ts';
import type { Io } from '../io.ts';
import { progressLine } from '../progress.ts';
import { findRule } from '../rule-option.ts';
import { styleOf } from '../style.ts';
import { findSubject, type Subject } from '../subject.ts';

/** What the command line gave. */
export interface VerifyOptions {
  readonly feature: readonly string[];
  readonly guest?: string;
  readonly vcpus?: number;
  readonly pages?: number;
  readonly seed?: number;
  readonly budget?: number;
  readonly rule?: string;
  readonly out?: string;
  readonly json?: boolean;
}

const STATES_PER_SEARCH = 2_000_000;

/** `tlbgate verify`. */
export async function verifyCommand(
  name: string,
  options: VerifyOptions,
  io: Io,
): Promise<number | InputError> {
  const subject = await findSubject(name, io);
  if (isInputError(subject)) return subject;
  const features = chosenFeatures(options, subject);
  if (isInputError(features)) return features;
  const overrides = chosenOverrides(options);
  if (isInputError(overrides)) return overrides;
  const rules = options.rule === undefined ? ALL_RULES : findRule(options.rule);
  if (isInputError(rules)) return rules;

  const deadline = options.budget === undefined ? Infinity : io.now() + options.budget * 1000;
  const expired = (): boolean => io.now() > deadline;
  const progress = progressLine(io);
  const scenario = subject.scenario === null ? null : { ...subject.scenario, ...overrides };
  const verification = verify({
    candidate: subject.candidate,
    rules,
    features,
    scenario: scenario === null || features === null ? scenario : { ...scenario, features },
    overrides: scenario === null ? overrides : {},
    statesPerSearch: STATES_PER_SEARCH,
    expired,
    onProgress: progress.show,
  });
  if (isInputError(verification)) {
    progress.clear();
    return { ...verification, message: capital(verification.message) };
  }
  // The time is for the verdict; the run that explains it is always looked for.
  const finder = runFinder(verification, { states: STATES_PER_SEARCH });
  if (options.out !== undefined) {
    const problem = writeRuns(verification, finder, options.out, io);
    if (problem !== null) return problem;
  }
  if (options.json === true) {
    const json = verificationJson(verification, (run, result) => {
      const found = finder(run, result);
      return found === null
        ? null
        : {
            labels: labelsOf(found.machine, found.steps),
            scenario: found.scenario,
            minimal: found.minimal,
          };
    });
    progress.clear();
    io.out(`${JSON.stringify(json)}\n`);
  } else {
    const text = reportText(verification, finder, name, options, io);
    progress.clear();
    io.out(text);
  }
  return exitCode(verification.verdict);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** One machine when any feature is named, else the matrix. */
function chosenFeatures(options: VerifyOptions, subject: Subject): Features | null | InputError {
  const base = subject.scenario?.features ?? DEFAULT_FEATURES;
  if (options.feature.length === 0) return subject.scenario === null ? null : base;
  return applyFeatures(base, options.feature, '--feature');
}

function chosenOverrides(options: VerifyOptions): Overrides | InputError {
  const guest = options.guest === undefined ? {} : parseGuest(options.guest);
  if (isInputError(guest)) return guest;
  return {
    ...guest,
    ...(options.vcpus === undefined ? {} : { vcpus: options.vcpus }),
    ...(options.pages === undefined ? {} : { pages: options.pages }),
  };
}

/** Finds the run of a refutation; runs of the same rule on other machines share the small scenario. */
type RunFinder = (run: FeatureRun, result: RuleResult) => FoundRun | null;

function runFinder({ candidate }: Verification, limits: SearchLimits): RunFinder {
  const firstOf = new Map<Rule, FoundRun>();
  const known = new Map<RuleResult, FoundRun | null>();
  return (run, result) => {
    if (result.refutedIn === null) return null;
    const before = known.get(result);
    if (before !== undefined) return before;
    const { rule } = result;
    const scenario = { ...result.refutedIn.scenario, features: run.features };
    const first = firstOf.get(rule);
    const found =
      first === undefined
        ? findCounterexample(scenario, candidate, rule, limits)
        : transferCounterexample(first, run.features, scenario, candidate, rule, limits);
    if (first === undefined && found !== null) firstOf.set(rule, found);
    known.set(result, found);
    return found;
  };
}

/** The refutation of each rule that a reader sees: on the machine nearest to the default one. */
function shownRefutations(
  verification: Verification,
): readonly { readonly run: FeatureRun; readonly result: RuleResult }[] {
  const refutations = verification.runs.flatMap((run) =>
    run.results.filter(({ verdict }) => verdict === 'refuted').map((result) => ({ run, result })),
  );
  return verification.rules.flatMap((rule) => {
    const of = refutations.filter(({ result }) => result.rule === rule);
    const nearest =
      of.find(({ run }) => run.features.granule === '4k' && run.features.vhe) ?? of[0];
    return nearest === undefined ? [] : [nearest];
  });
}

function replayText(found: FoundRun, rule: Rule): string {
  const { scenario, machine, steps } = found;
  return writeReplay({ scenario, rule: rule.id, labels: labelsOf(machine, steps) });
}

function replayName(found: FoundRun, rule: Rule): string {
  const digest = createHash('sha256').update(replayText(found, rule)).digest('hex').slice(0, 6);
  return `${rule.id}-${digest}.replay.json`;
}

function writeRuns(
  verification: Verification,
  finder: RunFinder,
  directory: string,
  io: Io,
): InputError | null {
  for (const { run, result } of shownRefutations(verification)) {
    const found = finder(run, result);
    if (found === null) continue;
    const name = replayName(found, result.rule);
    if (!io.write(directory, name, replayText(found, result.rule))) {
      return inputError(
        'file-unwritable',
        `The file "${directory}/${name}" cannot be written: check that the folder can be made and written to.`,
      );
    }
  }
  return null;
}

function reportText(
  verification: Verification,
  finder: RunFinder,
  name: string,
  options: VerifyOptions,
  io: Io,
): string {
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
    const limits = { states: STATES_PER_SEARCH };
    const flips = whatFlips(found, candidate, reference, result.rule, limits);
    const numbered = example.rows.filter((row) => row.number !== null);
    const file = replayName(found, result.rule);
    const directory = options.out ?? 'DIR';
    const key = example.rows.find((row) => row.isKey);
    lines.push(
      ...headerText(example, style),
      '',
      ...runText(example, style),
      '',
      ...keyText(example, style),
      '',
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
      '',
    );
  }
  const code = exitCode(verdict);
  lines.push(
    ...machinesText(verification, style),
    '',
    ...groundsText(verification, style),
    '',
    ` verdict   ${verdictWords(verification)}     exit ${code}`,
  );
  return `${lines.join('\n')}\n`;
}

function mirrorsWords({ candidate }: Verification): string {
  const kernels = [...new Set(candidate.mirrors.map(({ kernel }) => kernel))].join(', ');
  return `${kernels}: ${candidate.mirrors.map((mirror) => mirror.function).join(', ')}`;
}

function verdictWords(verification: Verification): string {
  switch (verification.verdict) {
    case 'verified':
      return 'verified within bounds';
    case 'refuted':
      return 'refuted';
    case 'inconclusive':
      return 'inconclusive (a limit was reached before all states were seen)';
  }
}
