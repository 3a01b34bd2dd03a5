import { DEFAULT_FEATURES, type Features } from '../../arm64/features.ts';
import type { Overrides } from '../../explore/library.ts';
import {
  verifyFullSize,
  type FullSizeVerification,
} from '../../explore/summary/verify-full-size.ts';
import { verify, type Verification, type VerifyRequest } from '../../explore/verify.ts';
import { fullSizeJson } from '../../report/full-size.ts';
import { verificationJson } from '../../report/json.ts';
import { ALL_RULES } from '../../rules/all-rules.ts';
import { applyFeatures } from '../../scenario/codec.ts';
import { inputError, isInputError, type InputError } from '../../scenario/input-error.ts';
import { labelsOf } from '../../trace/replay.ts';
import { openCheckpoint, SNAPSHOT_EVERY, type CheckpointOf } from '../checkpoint.ts';
import { exitCode } from '../exit-codes.ts';
import { MOST, parseGuest } from '../guest-option.ts';
import type { Io } from '../io.ts';
import { progressLine } from '../progress.ts';
import { findRule } from '../rule-option.ts';
import { sharedChecks } from '../shared-checks.ts';
import { findSubject, type Subject } from '../subject.ts';
import { runFinder, writeRuns } from './runs.ts';
import { reportText } from './verify-text.ts';

/** What the command line gave. */
export interface VerifyOptions {
  readonly feature: readonly string[];
  readonly guest?: string;
  readonly vcpus?: number;
  readonly pages?: number;
  readonly mapping?: string;
  readonly seed?: number;
  readonly budget?: number;
  readonly rule?: string;
  /** Most preemptions of a run. */
  readonly switches?: number;
  readonly out?: string;
  readonly json?: boolean;
  /** Folder in which checks are kept for a run that goes on where this one was stopped. */
  readonly checkpoint?: string;
  /** Seconds between two snapshots of a search that is kept there. */
  readonly checkpointEvery?: number;
  /** Threads. */
  readonly jobs?: number;
  /** Say how far it is also where standard error is no terminal. */
  readonly progress?: boolean;
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
  const progress = progressLine(io, options.progress === true);
  const scenario = subject.scenario === null ? null : { ...subject.scenario, ...overrides };
  const started = io.now();
  const full = isFullSize(options)
    ? fullSize(options, subject, { features, rules, expired, onProgress: progress.show })
    : null;
  if (full !== null && isInputError(full)) return full;
  const request: VerifyRequest = {
    candidate: subject.candidate,
    rules,
    features,
    scenario: scenario === null || features === null ? scenario : { ...scenario, features },
    overrides: scenario === null ? overrides : {},
    statesPerSearch: STATES_PER_SEARCH,
    switches: options.switches,
    expired,
    onProgress: progress.show,
    onSearch: progress.search,
  };
  const verification = full?.verification ?? (await perform(request, options, subject, io));
  const milliseconds = io.now() - started;
  if (isInputError(verification)) {
    progress.clear();
    return { ...verification, message: capital(verification.message) };
  }
  // The time is for the verdict; the run that explains it is always looked for.
  const finder = runFinder(verification, { states: STATES_PER_SEARCH });
  if (options.out !== undefined) {
    const problem = writeRuns(verification, finder, options.out, subject.source, io);
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
    io.out(`${JSON.stringify(full === null ? json : { ...json, fullSize: fullSizeJson(full) })}\n`);
  } else {
    const text = reportText(
      verification,
      finder,
      {
        name,
        source: subject.source,
        expired,
        ...(full === null ? {} : { fullSize: { ...full, milliseconds } }),
        ...(options.out === undefined ? {} : { out: options.out }),
        ...(options.seed === undefined ? {} : { seed: options.seed }),
      },
      io,
    );
    progress.clear();
    io.out(text);
  }
  return exitCode(verification.verdict);
}

/** More than a scenario can have is looked at as a whole. */
function isFullSize({ pages, vcpus, mapping }: VerifyOptions): boolean {
  return (pages ?? 0) > MOST.pages || (vcpus ?? 0) > MOST.vcpus || mapping !== undefined;
}

function fullSize(
  options: VerifyOptions,
  subject: Subject,
  how: Pick<Parameters<typeof verifyFullSize>[0], 'features' | 'rules' | 'expired' | 'onProgress'>,
): FullSizeVerification | InputError {
  const { pages, vcpus, mapping, guest } = options;
  const { checkpoint, jobs, switches } = options;
  if ([checkpoint, jobs, switches].some((option) => option !== undefined)) {
    return inputError(
      'option-value',
      '--checkpoint, --jobs and --switches are for searches of scenarios: a verification at full size has none to keep, to share or to bound.',
    );
  }
  if (guest !== 'general' || subject.scenario !== null) {
    const what =
      mapping !== undefined
        ? '--mapping'
        : (pages ?? 0) > MOST.pages
          ? `--pages ${pages}`
          : `--vcpus ${vcpus}`;
    return inputError(
      'option-value',
      `${what} goes with a candidate and --guest general: other guests and scenario files have at most ${MOST.pages} pages and ${MOST.vcpus} vCPUs.`,
    );
  }
  return verifyFullSize({
    ...how,
    candidate: subject.candidate,
    pages: pages ?? 2,
    vcpus: vcpus ?? 1,
    mapping: mapping ?? null,
    statesPerSearch: STATES_PER_SEARCH,
  });
}

/** The verification, with the checkpoint and the threads asked for. */
async function perform(
  request: VerifyRequest,
  { checkpoint, checkpointEvery, jobs = 1, budget }: VerifyOptions,
  subject: Subject,
  io: Io,
): Promise<Verification | InputError> {
  const { source } = subject;
  if (checkpointEvery !== undefined && checkpoint === undefined) {
    return inputError(
      'option-value',
      '--checkpoint-every says how often a search is kept: it goes with --checkpoint.',
    );
  }
  const of: CheckpointOf | null =
    checkpoint === undefined
      ? null
      : {
          folder: checkpoint,
          source,
          moduleText: moduleText(subject, io),
          every: checkpointEvery === undefined ? SNAPSHOT_EVERY : checkpointEvery * 1000,
        };
  const journal =
    of === null
      ? null
      : openCheckpoint({
          ...of,
          now: io.now,
          expired: request.expired,
          note: (sentence) => io.err(`${sentence}\n`),
        });
  if (journal !== null && isInputError(journal)) return journal;
  const kept = journal === null ? request : { ...request, journal };
  if (jobs === 1) return verify(kept);
  const deadline = budget === undefined ? Infinity : Date.now() + budget * 1000;
  const start = { source, deadline, checkpoint: of };
  return verify({ ...kept, journal: await sharedChecks(kept, jobs, start) });
}

/** The text of a module of the user's: another text is another candidate. */
function moduleText({ source }: Subject, io: Io): string | null {
  return /\.[cm]?[jt]s$/.test(source) ? io.read(source) : null;
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
  const traces = guest.guest?.kind === 'trace' ? guest.guest.vcpus.length : null;
  if (traces !== null && options.vcpus !== undefined && options.vcpus !== traces) {
    return inputError(
      'option-value',
      `--vcpus cannot be ${options.vcpus}: --guest lists ${traces}, one for each ";"-separated part, so leave --vcpus out.`,
    );
  }
  return {
    ...guest,
    ...(options.vcpus === undefined ? {} : { vcpus: options.vcpus }),
    ...(options.pages === undefined ? {} : { pages: options.pages }),
  };
}
