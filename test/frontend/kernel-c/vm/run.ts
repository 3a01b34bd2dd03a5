import {
  advance,
  type Advance,
  startThread,
} from '../../../../src/frontend/kernel-c/vm/advance.ts';
import { type Answer, DONE, type VmEvent } from '../../../../src/frontend/kernel-c/vm/event.ts';
import {
  createProgram,
  type Program,
  type ProgramOptions,
  symbolAt,
} from '../../../../src/frontend/kernel-c/vm/program.ts';
import { unitOf } from '../parse/show.ts';

export function programOf(
  texts: readonly string[],
  options: Partial<ProgramOptions> = {},
): Program {
  return createProgram(texts.map(unitOf), options);
}

export interface Ran {
  readonly end: Advance;
  readonly events: readonly VmEvent[];
}

/** Runs a function to its end, answering every event with `answer`. */
export function run(
  program: Program,
  name: string,
  args: readonly bigint[] = [],
  answer: (event: VmEvent) => Answer = () => DONE,
): Ran {
  const events: VmEvent[] = [];
  let end = startThread(program, 0, name, args);
  while (end.kind === 'event') {
    events.push(end.event);
    end = advance(program, end.state, answer(end.event));
  }
  return { end, events };
}

/** What `f` returns, or the sentence it stopped with. */
export function result(text: string, args: readonly bigint[] = []): bigint | string | null {
  const { end } = run(programOf([text]), 'f', args);
  if (end.kind === 'finished') return end.value;
  return end.kind === 'stopped' ? end.diagnostic.message : 'event';
}

/** The text of a string literal at an address. */
export function textAt(program: Program, address: bigint): string {
  return symbolAt(program, address)?.text ?? '?';
}
