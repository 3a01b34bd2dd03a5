import { evaluate } from '../../../src/program/expr.ts';
import type { LitmusTest } from '../../../src/frontend/litmus/litmus-test.ts';
import {
  parseHerd,
  parseIsla,
  type ParsedLitmus,
} from '../../../src/frontend/litmus/parse-litmus.ts';
import { describeProblem } from '../../../src/frontend/litmus/problem.ts';
import { runSequentially, seededRandom } from './sc-runner.ts';

/** The test, which has to be readable. */
export function readable(parsed: ParsedLitmus): LitmusTest {
  if (parsed.kind === 'problem') throw new Error(describeProblem(parsed.problem));
  return parsed.test;
}

/** What is wrong with a test, which has to be unreadable. */
export function problemOf(parsed: ParsedLitmus): string {
  if (parsed.kind === 'test') throw new Error('the test was read');
  return describeProblem(parsed.problem);
}

/** All outcomes that sequential runs find. */
export function sequentialOutcomes(test: LitmusTest, runs = 60): readonly string[] {
  const random = seededRandom(3);
  const outcomes = new Set<string>();
  for (let run = 0; run < runs; run += 1) {
    const final = runSequentially(test, random);
    const outcome = final === null ? null : test.observe(final);
    if (outcome !== null) outcomes.add(outcome);
  }
  return [...outcomes].sort();
}

/** Registers of a one-threaded herd7 test after its only run. */
export function registersAfter(
  code: readonly string[],
  initial: string,
  registers: readonly number[],
): readonly bigint[] {
  const rows = code.map((line) => ` ${line} ;`).join('\n');
  const shown = registers.map((register) => `0:X${register};`).join('');
  const text = `AArch64 t\n{${initial}}\n P0 ;\n${rows}\nlocations [${shown}]\n`;
  const test = readable(parseHerd('t.litmus', text));
  const final = runSequentially(test, seededRandom(1));
  const [thread] = test.threads;
  if (final === null || thread === undefined) throw new Error('the thread does not end');
  return registers.map((register) => {
    const value = thread.registerAt(final.node(0), register);
    return evaluate(value, (seq) => final.resultOf(0, seq)) ?? -1n;
  });
}

export { parseHerd, parseIsla };
