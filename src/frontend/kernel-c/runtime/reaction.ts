import type { Answer as MachineAnswer, EffectBody } from '../../../program/effect.ts';
import type { Answer as VmAnswer } from '../vm/event.ts';
import type { RuntimeState } from './state.ts';

/**
 * What an event of the VM means: effects the machine is asked for one after the other, then the answer
 * with which the VM goes on. An event without effects is invisible to everybody else.
 */
export type Reaction =
  | { readonly kind: 'answer'; readonly answer: VmAnswer; readonly state: RuntimeState }
  | {
      readonly kind: 'ask';
      readonly effect: EffectBody;
      /** The instruction or call in a few words, for reports. */
      readonly text: string;
      readonly resume: (answer: MachineAnswer) => Reaction;
    }
  /** The runtime does not know what this means; one sentence says what and where to add it. */
  | { readonly kind: 'stop'; readonly message: string };

/** An effect whose answer says nothing, for the reader. */
export interface Step {
  readonly effect: EffectBody;
  readonly text: string;
}

export function answer(values: readonly bigint[], state: RuntimeState): Reaction {
  return { kind: 'answer', answer: { values }, state };
}

export function stopWith(message: string): Reaction {
  return { kind: 'stop', message };
}

/** Effects in order, then another reaction. */
export function after(steps: readonly Step[], last: Reaction): Reaction {
  return steps.reduceRight<Reaction>(
    (rest, { effect, text }) => ({ kind: 'ask', effect, text, resume: () => rest }),
    last,
  );
}
