import type { Features } from '../../arm64/features.ts';
import { DEFAULT_FEATURES } from '../../arm64/features.ts';
import { CANDIDATES } from '../../candidates/catalogue.ts';
import {
  shardName,
  startCampaign,
  type Campaign,
  type CampaignOptions,
} from '../../explore/campaign/campaign.ts';
import { findingOf, type Corpus } from '../../explore/campaign/corpus.ts';
import { campaignMachines } from '../../explore/campaign/draw-scenario.ts';
import { brokenBy, shrinkFinding } from '../../explore/campaign/shrink-finding.ts';
import { candidateAmong, type Subject } from '../../explore/campaign/subject.ts';
import { ALL_RULES, ruleById } from '../../rules/all-rules.ts';
import { applyFeatures } from '../../scenario/codec.ts';
import { inputError, isInputError, type InputError } from '../../scenario/input-error.ts';
import type { Replay } from '../../scenario/replay-file.ts';
import { findingPath, loadCorpus, saveEntry, saveFinding, saveProgress } from '../corpus-folder.ts';
import type { CorpusIo } from '../corpus-io.ts';
import { EXIT } from '../exit-codes.ts';
import { findRule } from '../rule-option.ts';
import { findSubject } from '../subject.ts';
import { fuzzJson, fuzzText, type FuzzReport, type ReportedFinding } from './fuzz-text.ts';

/** What the command line gave. */
export interface FuzzOptions {
  readonly feature: readonly string[];
  readonly rule?: string;
  /** Milliseconds. */
  readonly time?: number;
  readonly runs?: number;
  readonly seed: number;
  readonly corpus: string;
  readonly shard: CampaignOptions['shard'];
  readonly mutants?: boolean;
  readonly json?: boolean;
}

/** Milliseconds, when neither a time nor a number of runs is given. */
const DEFAULT_TIME = 60_000;
/** Milliseconds between two looks at what the outside wants, and two notes of how far we are. */
const LOOK = 50;
const NOTE = 2000;
/** Milliseconds for making one finding small; the next session goes on where it is not enough. */
const SHRINK = 20_000;

/** `tlbgate fuzz`. */
export async function fuzzCommand(
  names: readonly string[],
  options: FuzzOptions,
  io: CorpusIo,
): Promise<number | InputError> {
  const subjects = await subjectsOf(names, io);
  if (isInputError(subjects)) return subjects;
  const machines = machinesOf(options.feature);
  if (isInputError(machines)) return machines;
  const rules = options.rule === undefined ? ALL_RULES : findRule(options.rule);
  if (isInputError(rules)) return rules;

  const { corpus: before, skipped } = loadCorpus(options.corpus, io);
  const { seed, shard } = options;
  const campaign = startCampaign(
    {
      subjects,
      rules,
      machines,
      seed,
      shard,
      mutants: options.mutants ?? false,
      steered: true,
    },
    before,
  );
  const findings = findingsOf(before, subjects, options, io);
  const problem = findings.shrinkOpen();
  if (problem !== null) return problem;
  const first = campaign.next();
  const session = await runSession(campaign, findings, options, io);
  if (isInputError(session)) return session;

  const report: FuzzReport = {
    ...session,
    subjects: subjects.length,
    seed,
    shard: shardName(shard),
    corpus: options.corpus,
    first,
    next: campaign.next(),
    entries: campaign.entries().size,
    newEntries: campaign.entries().size - before.entries.size,
    combinations: campaign.combinations(),
    findings: findings.all(),
    mended: findings.mended,
    skipped,
  };
  if (options.json === true) io.out(`${JSON.stringify(fuzzJson(report))}\n`);
  else io.out(fuzzText(report, io));
  return exitCodeOf(report);
}

/** Something found is 1, nothing found 0; 3 when nothing could be looked at. */
export function exitCodeOf({ findings, runs, impossible }: FuzzReport): number {
  if (findings.length > 0) return EXIT.refuted;
  return runs - impossible > 0 ? EXIT.verified : EXIT.inconclusive;
}

interface Session {
  readonly runs: number;
  readonly steps: number;
  readonly impossible: number;
  readonly broke: number;
  readonly interrupted: boolean;
}

/** Runs until the budget is spent. What is found is on disk before the next run begins. */
async function runSession(
  campaign: Campaign,
  findings: Findings,
  options: FuzzOptions,
  io: CorpusIo,
): Promise<Session | InputError> {
  const { corpus: directory, seed } = options;
  const shard = shardName(options.shard);
  const runsAllowed = options.runs ?? Infinity;
  const time = options.time ?? (options.runs === undefined ? DEFAULT_TIME : Infinity);
  const start = io.now();
  let looked = start;
  let noted = start;
  let runs = 0;
  let steps = 0;
  let impossible = 0;
  let broke = 0;
  let interrupted = false;
  const note = (): InputError | null =>
    saveProgress(directory, { seed, shard, runs: campaign.next() }, io);

  while (runs < runsAllowed && !interrupted) {
    const now = io.now();
    if (now - start > time) break;
    if (now - looked > LOOK) {
      looked = now;
      interrupted = await io.interrupted();
    }
    const run = campaign.run();
    runs += 1;
    steps += run.steps;
    if (run.impossible) impossible += 1;
    let problem: InputError | null = null;
    if (run.broke !== null) {
      broke += 1;
      problem = findings.add(run.broke);
    }
    if (run.entry !== null) problem ??= saveEntry(directory, run.entry, io);
    if (now - noted > NOTE) {
      noted = now;
      problem ??= note();
    }
    if (problem !== null) return problem;
  }
  const problem = note();
  return problem ?? { runs, steps, impossible, broke, interrupted };
}

/** The findings of a corpus that concern the candidates asked about. */
interface Findings {
  /** Files of findings that this version, or the candidate as it is now, does not break any more. */
  readonly mended: readonly string[];
  /** Makes small what an earlier session had no time for. */
  shrinkOpen(): InputError | null;
  /** Keeps a run that breaks a rule, then makes it small. One of each kind is enough. */
  add(finding: Replay): InputError | null;
  all(): readonly ReportedFinding[];
}

function findingsOf(
  before: Corpus,
  subjects: readonly Subject[],
  options: FuzzOptions,
  io: CorpusIo,
): Findings {
  const directory = options.corpus;
  const known = new Map<string, ReportedFinding>();
  const mended: string[] = [];
  const open: Replay[] = [];

  for (const key of new Set([...before.found.keys(), ...before.findings.keys()])) {
    const small = before.findings.get(key) ?? null;
    const finding = small ?? before.found.get(key);
    if (finding === undefined) continue;
    const candidate = candidateAmong(subjects, finding.scenario);
    const rule = finding.rule === null ? null : ruleById(finding.rule);
    if (candidate === null || rule === null) continue;
    const folder = small === null ? 'found' : 'findings';
    const file = findingPath(directory, folder, finding);
    if (brokenBy(finding, candidate, rule) === null) {
      mended.push(file);
      continue;
    }
    if (small === null) open.push(finding);
    known.set(key, reported(finding, file, false));
  }

  function shrink(finding: Replay): InputError | null {
    const candidate = candidateAmong(subjects, finding.scenario);
    const rule = finding.rule === null ? null : ruleById(finding.rule);
    if (candidate === null || rule === null) return null;
    const start = io.now();
    const small = shrinkFinding(finding, candidate, rule, {
      features: options.feature.length === 0,
      expired: () => io.now() - start > SHRINK,
    });
    const problem = saveFinding(directory, 'findings', small, io);
    const file = findingPath(directory, 'findings', small);
    const isNew = known.get(findingOf(finding))?.isNew ?? true;
    known.set(findingOf(finding), reported(small, file, isNew));
    return problem;
  }

  return {
    mended,
    shrinkOpen() {
      for (const finding of open) {
        const problem = shrink(finding);
        if (problem !== null) return problem;
      }
      return null;
    },
    add(finding) {
      const key = findingOf(finding);
      if (known.has(key)) return null;
      known.set(key, reported(finding, findingPath(directory, 'found', finding), true));
      return saveFinding(directory, 'found', finding, io) ?? shrink(finding);
    },
    all: () => [...known].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, finding]) => finding),
  };
}

function reported(
  { scenario, rule, labels }: Replay,
  file: string,
  isNew: boolean,
): ReportedFinding {
  return { candidate: scenario.candidate, rule: rule ?? '', events: labels.length, file, isNew };
}

/** The candidates asked about; without a name, all of them where they are expected to hold. */
async function subjectsOf(
  names: readonly string[],
  io: CorpusIo,
): Promise<readonly Subject[] | InputError> {
  if (names.length === 0) {
    return CANDIDATES.map((candidate) => ({ candidate, source: candidate.id, onlyNews: true }));
  }
  const subjects = new Map<string, Subject>();
  for (const name of names) {
    const found = await findSubject(name, io);
    if (isInputError(found)) return found;
    if (found.scenario !== null) {
      return inputError(
        'usage',
        `"${name}" is a scenario, but a campaign draws its own: name the candidate, or use \`tlbgate verify ${name} --seed N\`.`,
      );
    }
    const { candidate, source } = found;
    subjects.set(source, { candidate, source, onlyNews: false });
  }
  return [...subjects.values()];
}

function machinesOf(words: readonly string[]): readonly Features[] | InputError {
  if (words.length === 0) return campaignMachines();
  const features = applyFeatures(DEFAULT_FEATURES, words, '--feature');
  return isInputError(features) ? features : [features];
}
