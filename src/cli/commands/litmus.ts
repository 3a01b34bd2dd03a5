import { match } from 'ts-pattern';
import { isLitmusFile, answerLitmus, readLitmus } from '../../explore/litmus-case.ts';
import { readExpectations } from '../../explore/litmus-expected.ts';
import { explainOutcome } from '../../explore/litmus-explain.ts';
import { compareFolder, DEFAULT_LITMUS_STATES } from '../../explore/litmus-folder.ts';
import { attempt, describeProblem } from '../../frontend/litmus/problem.ts';
import { litmusReport } from '../../report/litmus-report.ts';
import { answerJson, comparisonJson } from '../../report/litmus-json.ts';
import {
  litmusAnswerText,
  litmusDifferenceText,
  litmusSummaryText,
} from '../../report/litmus-text.ts';
import { LITMUS_EXIT, type LitmusIo } from '../litmus-io.ts';
import { styleOf } from '../style.ts';

/** What the command line says. */
export interface LitmusOptions {
  /** A file of expectations, for one folder. */
  readonly expected?: string;
  readonly json?: boolean;
  /** The paths are a file and an outcome of it. */
  readonly explain?: boolean;
  /** `-variant` options of herd7, in addition to those of the tests. */
  readonly variant: readonly string[];
  /** Most states of one search. */
  readonly states?: number;
}

/** `tlbgate litmus`: runs litmus tests. Returns the exit code. */
export function litmusCommand(
  paths: readonly string[],
  options: LitmusOptions,
  io: LitmusIo,
): number {
  if (options.explain === true) return explain(paths, options, io);
  if (options.expected !== undefined) return compare(paths, options.expected, options, io);
  return show(paths, options, io);
}

function limitsOf(options: LitmusOptions): { readonly states: number } {
  return { states: options.states ?? DEFAULT_LITMUS_STATES };
}

function complain(io: LitmusIo, sentence: string): number {
  io.err(`tlbgate litmus: ${sentence}\n`);
  return LITMUS_EXIT.badInput;
}

/** The tests a path stands for: itself, or everything below it. */
function testFiles(path: string, io: LitmusIo): readonly string[] | null {
  const below = io.filesBelow(path);
  if (below !== null) return below.filter(isLitmusFile).map((file) => `${path}/${file}`);
  return io.read(path) === null ? null : [path];
}

function show(paths: readonly string[], options: LitmusOptions, io: LitmusIo): number {
  const answers: unknown[] = [];
  let complete = true;
  for (const path of paths) {
    const files = testFiles(path, io);
    if (files === null) return complain(io, `${path} is neither a file nor a folder.`);
    if (files.length === 0) return complain(io, `there is no litmus test below ${path}.`);
    for (const file of files) {
      const start = io.now();
      const reading = { variants: options.variant };
      const answer = answerLitmus(file, io.read(file) ?? '', reading, limitsOf(options));
      const ms = io.now() - start;
      if (answer.kind === 'unsupported' || answer.outcomes.limited) complete = false;
      if (options.json === true) answers.push(answerJson(file, answer, ms));
      else io.out(litmusAnswerText(file, answer, ms));
    }
  }
  if (options.json === true) io.out(`${JSON.stringify({ format: 1, tests: answers })}\n`);
  return complete ? LITMUS_EXIT.equal : LITMUS_EXIT.different;
}

/** Compares a folder with a file of expectations. */
function compare(
  paths: readonly string[],
  expected: string,
  options: LitmusOptions,
  io: LitmusIo,
): number {
  const [folder, ...others] = paths;
  if (folder === undefined || others.length > 0) {
    return complain(io, '--expected belongs to exactly one folder.');
  }
  const text = io.read(expected);
  if (text === null) return complain(io, `${expected} cannot be read.`);
  const read = readExpectations(text);
  if ('problem' in read) return complain(io, `${expected}: ${read.problem}`);
  if (read.rows.length === 0) return complain(io, `${expected} expects nothing of any test.`);
  const files = io.filesBelow(folder);
  if (files === null) return complain(io, `${folder} is not a folder.`);
  const comparisons = compareFolder(
    read.rows,
    { files, read: (file) => io.read(`${folder}/${file}`), now: io.now },
    limitsOf(options),
    options.variant,
  );
  if ('problem' in comparisons) return complain(io, comparisons.problem);
  if (options.json === true) io.out(`${JSON.stringify(comparisonJson(comparisons))}\n`);
  else {
    for (const comparison of comparisons) {
      if (comparison.result !== 'equal' || comparison.note !== '') {
        io.out(litmusDifferenceText(comparison));
      }
    }
    io.out(litmusSummaryText(comparisons));
  }
  const allEqual = comparisons.every(({ result }) => result === 'equal' || result === null);
  return allEqual ? LITMUS_EXIT.equal : LITMUS_EXIT.different;
}

/** Prints the run that gives an outcome. */
function explain(paths: readonly string[], options: LitmusOptions, io: LitmusIo): number {
  const [file, outcome, ...others] = paths;
  if (file === undefined || outcome === undefined || others.length > 0) {
    return complain(io, '--explain needs a file and an outcome: "0:X0=1; 1:X2=0;".');
  }
  const text = io.read(file);
  if (text === null) return complain(io, `${file} cannot be read.`);
  const parsed = readLitmus(file, text, { variants: options.variant });
  if (parsed.kind === 'problem') return complain(io, describeProblem(parsed.problem));
  const found = attempt(() => explainOutcome(parsed.test, outcome, limitsOf(options)));
  if ('problem' in found) return complain(io, describeProblem(found.problem));
  return match(found.ok)
    .with({ kind: 'run' }, ({ run }) => {
      io.out(litmusReport(parsed.test, run, styleOf(io)));
      return LITMUS_EXIT.equal;
    })
    .with({ kind: 'never' }, ({ outcomes }) => {
      io.out(`No run ends in "${outcome}". All outcomes:\n`);
      for (const known of outcomes) io.out(`  ${known.trim()}\n`);
      return LITMUS_EXIT.different;
    })
    .with({ kind: 'limit' }, ({ states }) => {
      io.out(`The search was cut off after ${states} states: use --states.\n`);
      return LITMUS_EXIT.inconclusive;
    })
    .exhaustive();
}
