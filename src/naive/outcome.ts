import { never } from '../util/never.ts';
import type { Answer } from '../program/effect.ts';

/** What a finished run shows: plain data, so that every machine can use the same key. */
export interface Outcome {
  /**
   * Per PE, in program order: the answer of each load, atomic and fetch, and of each store or cache
   * maintenance that faulted. `seq` counts the effects of the executed path from 0, all kinds of
   * effects included.
   */
  readonly threads: readonly (readonly SeqAnswer[])[];
  /**
   * Every 8-byte word that was written in the run, with the values a cacheable read could return at
   * the end (one, unless coherency was lost).
   */
  readonly memory: readonly (readonly [address: bigint, values: readonly bigint[]])[];
}

/** One answer and the program-order index of its effect. */
export interface SeqAnswer {
  readonly seq: number;
  readonly answer: Answer;
}

function outcomeAnswer(answer: Answer): string {
  switch (answer.kind) {
    case 'done':
      return 'done';
    case 'value':
      return answer.value.toString(16);
    case 'fault': {
      // The kind of access is known from the effect, and hardware reports an IPA by its page only
      // (HPFAR_EL2), so neither the access nor the offset in the page is part of an outcome.
      const { stage, cause, level, address, onWalk } = answer.fault;
      return `${cause}@s${stage}l${level}:${(address >> 12n).toString(16)}${onWalk ? 'w' : ''}`;
    }
    default:
      return never(answer);
  }
}

/**
 * The canonical string of an outcome.
 *
 * ```text
 * outcome = thread *('|' thread) '#' word *(' ' word)
 * thread  = [seq ':' answer *(' ' seq ':' answer)]
 * answer  = hex value | 'done' | cause '@s' stage 'l' level ':' page-of-address ['w']
 * word    = hex-address '=' hex-value *(',' hex-value)       sorted by address, values ascending
 * ```
 */
export function outcomeKey({ threads, memory }: Outcome): string {
  const lines = threads.map((answers) =>
    answers.map(({ seq, answer }) => `${seq}:${outcomeAnswer(answer)}`).join(' '),
  );
  const words = memory
    .map(([address, values]) => [address, [...new Set(values)].sort(byValue)] as const)
    .sort(([a], [b]) => byValue(a, b))
    .map(([a, values]) => `${a.toString(16)}=${values.map((v) => v.toString(16)).join(',')}`);
  return `${lines.join('|')}#${words.join(' ')}`;
}

/**
 * The keys of an outcome with one final value per word: a last observer reads every word once.
 *
 * This is the form in which machines are compared. A machine with explicit cache fills ends runs both
 * with and without a stale clean copy, one that keeps what could be cached ends them with both
 * values at once; each reaches the same final reads.
 */
export function outcomeKeys({ threads, memory }: Outcome): readonly string[] {
  let choices: (readonly [bigint, readonly bigint[]])[][] = [[]];
  for (const [address, values] of memory) {
    choices = choices.flatMap((chosen) =>
      [...new Set(values)].map((value) => [...chosen, [address, [value]] as const]),
    );
  }
  return choices.map((chosen) => outcomeKey({ threads, memory: chosen }));
}

function byValue(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
