import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadCorpus } from '../src/cli/corpus-folder.ts';
import { realCorpusIo } from '../src/cli/corpus-io.ts';
import { realIo } from '../src/cli/io.ts';
import { startCampaign } from '../src/explore/campaign/campaign.ts';
import { EMPTY_CORPUS, findingOf, nextRun, type Corpus } from '../src/explore/campaign/corpus.ts';
import { campaignMachines } from '../src/explore/campaign/draw-scenario.ts';
import { brokenBy } from '../src/explore/campaign/shrink-finding.ts';
import { candidateAmong, type Subject } from '../src/explore/campaign/subject.ts';
import { findCandidate } from '../src/candidates/catalogue.ts';
import { ALL_RULES, ruleById } from '../src/rules/all-rules.ts';
import { randomFrom } from '../src/util/random.ts';

/** What came of killing one campaign many times. */
export interface KillReport {
  readonly kills: number;
  /** Kills after which the campaign had come further than before. */
  readonly gotFurther: number;
  readonly runs: number;
  readonly entries: number;
  readonly findings: number;
  /** One sentence for everything that is not as it should be; empty when all is well. */
  readonly faults: readonly string[];
}

/** A wrong and a right candidate: there is something to find, and there is no end of it. */
const IDS = ['unmap-stage2-range/flush-after-unlock', 'unmap-stage2-range/per-page-flush'];

/**
 * Starts `tlbgate fuzz` again and again with the same command and sends it SIGKILL at a random moment:
 * some milliseconds after it has written a random number of files, on a fast or a busy computer alike.
 * Then compares what is on disk with what a campaign that nobody kills comes to in as many runs.
 * Needs `npm run build`. Times in milliseconds.
 */
export async function killCampaign(
  kills: number,
  seed: number,
  mostFiles = MOST_FILES,
): Promise<KillReport> {
  const directory = mkdtempSync(join(tmpdir(), 'tlbgate-kill-'));
  const io = realCorpusIo(realIo());
  const random = randomFrom(seed);
  const faults: string[] = [];
  let gotFurther = 0;
  let before: Corpus = EMPTY_CORPUS;
  try {
    for (let kill = 0; kill < kills; kill += 1) {
      await runAndKill(directory, seed, random.below(mostFiles), random.below(MOST_DELAY));
      const { corpus, skipped } = loadCorpus(directory, io);
      faults.push(...skipped.map((sentence) => `after kill ${kill + 1}: ${sentence}`));
      for (const part of ['entries', 'found', 'findings'] as const) {
        for (const key of before[part].keys()) {
          if (!corpus[part].has(key)) faults.push(`kill ${kill + 1} lost of ${part}: ${key}`);
        }
      }
      if (nextRun(corpus, seed, '1/1') > nextRun(before, seed, '1/1')) gotFurther += 1;
      before = corpus;
    }
    faults.push(...comparedWithCalm(before, seed));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return {
    kills,
    gotFurther,
    runs: nextRun(before, seed, '1/1'),
    entries: before.entries.size,
    findings: before.found.size,
    faults,
  };
}

/** Files written, and milliseconds after the last of them, before the kill. */
const MOST_FILES = 12;
const MOST_DELAY = 60;
/** Milliseconds after which a process is killed that writes nothing new. */
const PATIENCE = 4000;

async function runAndKill(
  directory: string,
  seed: number,
  files: number,
  delay: number,
): Promise<void> {
  const main = resolve('dist/cli/main.js');
  const args = ['fuzz', ...IDS, '--time', '1h', '--seed', String(seed), '--corpus', directory];
  const start = filesIn(directory);
  const child = spawn(process.execPath, [main, ...args], { stdio: 'ignore' });
  const exit = new Promise((done) => void child.once('exit', done));
  for (let waited = 0; waited < PATIENCE && filesIn(directory) < start + files; waited += 10) {
    await sleep(10);
  }
  await sleep(delay);
  child.kill('SIGKILL');
  await exit;
}

function filesIn(directory: string): number {
  return readdirSync(directory, { recursive: true }).length;
}

/** What a campaign without interruption has after the same number of runs, and this one has not. */
function comparedWithCalm(corpus: Corpus, seed: number): readonly string[] {
  const subjects = IDS.map((source): Subject => {
    const candidate = findCandidate(source);
    if (candidate === null) throw new RangeError(`no candidate ${source}`);
    return { candidate, source, onlyNews: false };
  });
  const calm = startCampaign(
    {
      subjects,
      rules: ALL_RULES,
      machines: campaignMachines(),
      seed,
      shard: { index: 1, count: 1 },
      mutants: false,
      steered: true,
    },
    EMPTY_CORPUS,
  );
  const faults: string[] = [];
  const found = new Set<string>();
  while (calm.next() < nextRun(corpus, seed, '1/1')) {
    const { broke } = calm.run();
    if (broke !== null) found.add(findingOf(broke));
  }
  for (const key of calm.entries().keys()) {
    if (!corpus.entries.has(key)) faults.push(`an entry is missing: ${key}`);
  }
  for (const key of corpus.entries.keys()) {
    if (!calm.entries().has(key)) faults.push(`an entry is nobody's: ${key}`);
  }
  for (const key of found) if (!corpus.found.has(key)) faults.push(`a finding is missing: ${key}`);
  for (const [key, finding] of [...corpus.found, ...corpus.findings]) {
    const candidate = candidateAmong(subjects, finding.scenario);
    const rule = ruleById(finding.rule ?? '');
    if (candidate === null || rule === null || brokenBy(finding, candidate, rule) === null) {
      faults.push(`a finding does not replay: ${key}`);
    }
  }
  return faults;
}
