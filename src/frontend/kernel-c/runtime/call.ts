import type { VmEvent } from '../vm/event.ts';
import type { Environment } from './environment.ts';
import { answer, type Reaction, type Step } from './reaction.ts';
import type { RuntimeState } from './state.ts';

/** A call of a function that is intercepted or has no body, as its meaning gets to see it. */
export interface Call {
  readonly event: Extract<VmEvent, { kind: 'call' }>;
  readonly argument: (index: number) => bigint;
  readonly environment: Environment;
  readonly state: RuntimeState;
  /** The lock at an address, by its index in the machine; `null` for any other address. */
  readonly lockAt: (address: bigint) => number | null;
  /** The object of file scope at an address, by name; `null` for any other address. */
  readonly objectAt: (address: bigint) => string | null;
  /** The string literal at an address; `null` for any other address. */
  readonly textAt: (address: bigint) => string | null;
}

/** What a function means instead of its body. */
export type Meaning = (call: Call) => Reaction;

/** Meanings by the name of the function. */
export type Meanings = readonly (readonly [string, Meaning])[];

/** The answer to a function whose result may be unused. */
export function result({ event, state }: Call, value: bigint, next = state): Reaction {
  return answer(event.result === null ? [] : [value], next);
}

/** A call that nothing of interest to the machine comes of. */
export const nothing: Meaning = (call) => result(call, 0n);

/** One effect of a call, with its words for the reader. */
export function step(effect: Step['effect'], text: string): Step {
  return { effect, text };
}
