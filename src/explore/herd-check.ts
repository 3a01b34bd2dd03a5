import { answerLitmus } from './litmus-case.ts';
import { outcomeKey } from './outcome-key.ts';

/** What herd7 prints about one test, as far as we compare it. */
export interface HerdAnswer {
  readonly outcomes: readonly string[];
  readonly needsBbm: boolean;
}

/** Reads the output of herd7: `States N`, N lines, `Ok` or `No`. Null when it is something else. */
export function readHerdOutput(output: string): HerdAnswer | null {
  const lines = output.split('\n');
  const at = lines.findIndex((line) => /^States \d+$/.test(line));
  if (at < 0) return null;
  const count = Number(/\d+/.exec(lines[at] ?? '')?.[0]);
  return {
    outcomes: lines.slice(at + 1, at + 1 + count).map((line) => line.trim()),
    needsBbm: lines.some((line) => line.startsWith('Flag') && line.includes('BBM')),
  };
}

/** How our answer differs from that of herd7, in words; null when it does not, or is cut off. */
export function differenceFromHerd(
  text: string,
  output: string,
  limits: { readonly states: number },
): string | null {
  const theirs = readHerdOutput(output);
  if (theirs === null) return `herd7 does not list states: ${output.split('\n')[0] ?? ''}`;
  const answer = answerLitmus('cycle.litmus', text, { variants: [] }, limits);
  if (answer.kind === 'unsupported') return answer.problem.message;
  if (answer.outcomes.limited) return null;
  const ours = answer.outcomes.outcomes.map(outcomeKey).sort();
  const expected = theirs.outcomes.map(outcomeKey).sort();
  if (ours.join('\n') === expected.join('\n')) return null;
  return `herd7 lists ${expected.join(' ')}, we list ${ours.join(' ')}`;
}
