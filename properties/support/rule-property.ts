import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CANDIDATES } from '../../src/candidates/catalogue.ts';
import { machineOf } from '../../src/explore/check.ts';
import { brokenAtEnd } from '../../src/explore/replay-verdict.ts';
import type { Rule } from '../../src/rules/rule.ts';
import { isInputError } from '../../src/scenario/input-error.ts';
import { readReplay, writeReplay } from '../../src/scenario/replay-file.ts';
import { replay } from '../../src/trace/replay.ts';
import { KNOWN_FAILURES, type KnownFailure } from './known-failures.ts';
import { MACHINES, PROVE, scenariosOf } from './scale.ts';
import { minimumOf } from './stored-minimum.ts';
import { verdictOf } from './verdicts.ts';

/** Minima whose search takes more than ten thousand states; found again in `npm run prove`. */
const SLOW: ReadonlySet<string> = new Set([
  'contents-after-return/unmap-stage2-range--without-last-dsb.replay.json',
  'no-access-after-return/unmap-stage2-range--without-last-dsb.replay.json',
  'progress/unmap-stage2-range--without-unlock.replay.json',
]);

/**
 * Runs for which not all cheaper ones can be looked at: two threads on one lock, and a loop. They are
 * what the search always finds first, and are not called minimal.
 */
const NOT_PROVED: ReadonlySet<string> = new Set([
  'progress/unmap-stage2-range--without-unlock.replay.json',
  'progress/memory-fault--unconditional-break-before-make.replay.json',
]);

/**
 * The properties of one rule, and of this rule alone: stored counterexamples first, each repeated
 * strictly; then the same found again from scratch; then every candidate that is expected to hold.
 */
export function describeRule(rule: Rule): void {
  const failures = KNOWN_FAILURES.filter((failure) => failure.rule === rule);

  describe(`${rule.id}: stored counterexamples`, () => {
    it('there is one: the rule can fire', () => expect(failures).not.toEqual([]));
    it.each(failures)('$candidate.id', (failure) => {
      expect(repeated(failure)).toBe('refuted at the last step and at none before');
    });
  });

  describe(`${rule.id}: found again from scratch, byte for byte`, () => {
    it.each(failures.filter(({ file }) => PROVE || !SLOW.has(file)))('$candidate.id', (failure) => {
      const found = minimumOf(failure);
      expect(found?.text).toBe(stored(failure));
      expect(found?.minimal).toBe(!NOT_PROVED.has(failure.file));
    });
  });

  describe(`${rule.id}: candidates expected to hold`, () => {
    it.each(CANDIDATES)('$id', (candidate) => {
      const broken: string[] = [];
      for (const features of MACHINES) {
        if (candidate.expected(features).verdict !== 'holds') continue;
        for (const { name, scenario } of scenariosOf(candidate, features)) {
          const verdict = verdictOf(candidate, scenario, rule) ?? 'verified';
          if (verdict !== 'verified') broken.push(`${name}: ${verdict}`);
        }
      }
      expect(broken).toEqual([]);
    });
  });
}

function stored({ file }: KnownFailure): string | null {
  const path = new URL(`../corpus/${file}`, import.meta.url);
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

/** Replays the stored run, and says whether it is the run it claims to be. */
function repeated(failure: KnownFailure): string {
  const { candidate, rule, file } = failure;
  const text = stored(failure);
  if (text === null) return `there is no ${file}: npm run corpus`;
  const read = readReplay(text, file);
  if (isInputError(read)) return read.message;
  if (writeReplay(read) !== text) return 'is not written the way tlbgate writes it';
  if (read.rule !== rule.id || read.scenario.candidate !== candidate.id) return 'is another run';
  const machine = machineOf(read.scenario, candidate);
  if (isInputError(machine)) return machine.message;
  const run = replay(machine, read.labels);
  if (run.kind === 'misfit') return `step ${run.step} is not possible`;
  const early = run.steps
    .slice(0, -1)
    .findIndex(({ facts }) => facts.some((fact) => rule.check(fact) !== null));
  if (early >= 0) return `is broken at step ${early + 1} already`;
  return brokenAtEnd(machine, run, rule) === null
    ? 'does not break the rule'
    : 'refuted at the last step and at none before';
}
