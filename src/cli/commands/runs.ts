import { createHash } from 'node:crypto';
import {
  findCounterexample,
  transferCounterexample,
  type FoundRun,
} from '../../explore/counterexample-search.ts';
import type { SearchLimits } from '../../explore/search.ts';
import type { FeatureRun, RuleResult, Verification } from '../../explore/verify.ts';
import type { Rule } from '../../rules/rule.ts';
import { inputError, type InputError } from '../../scenario/input-error.ts';
import { writeReplay } from '../../scenario/replay-file.ts';
import { labelsOf } from '../../trace/replay.ts';
import type { Io } from '../io.ts';

/** Finds the run of a refutation; runs of the same rule on other machines share the small scenario. */
export type RunFinder = (run: FeatureRun, result: RuleResult) => FoundRun | null;

/** The finder of one verification; what it has found it keeps. */
export function runFinder({ candidate }: Verification, limits: SearchLimits): RunFinder {
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
export function shownRefutations(
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

/** `source` is where the candidate is found again: its id, or the path of the user's module. */
function replayText(found: FoundRun, rule: Rule, source: string): string {
  const { machine, steps } = found;
  const scenario = { ...found.scenario, candidate: source };
  return writeReplay({ scenario, rule: rule.id, labels: labelsOf(machine, steps) });
}

/** Name of a replay file: the rule, and a digest of the contents. */
export function replayName(found: FoundRun, rule: Rule, source: string): string {
  return nameOfText(rule, replayText(found, rule, source));
}

/** The name of a replay file with this text. */
export function nameOfText(rule: Rule, text: string): string {
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 6);
  return `${rule.id}-${digest}.replay.json`;
}

/** Writes one replay file for each refuted rule. */
export function writeRuns(
  verification: Verification,
  finder: RunFinder,
  directory: string,
  source: string,
  io: Io,
): InputError | null {
  for (const { run, result } of shownRefutations(verification)) {
    const found = finder(run, result);
    if (found === null) continue;
    const name = replayName(found, result.rule, source);
    if (!io.write(directory, name, replayText(found, result.rule, source))) {
      return inputError(
        'file-unwritable',
        `The file "${directory}/${name}" cannot be written: check that the folder can be made and written to.`,
      );
    }
  }
  return null;
}
