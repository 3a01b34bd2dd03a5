import type { Answer, Effect, EffectBody } from '../../../program/effect.ts';
import { END_TEXT, type CodeSlot } from '../assembly/code.ts';
import type { ThreadProgram } from './thread-program.ts';
import { NO_PHASE, type ThreadState } from './thread-state.ts';

/** What a thread does next. */
export type Step =
  /** Nothing that anyone else can see. */
  | { readonly kind: 'silent'; readonly state: ThreadState }
  | {
      readonly kind: 'ask';
      readonly effect: Effect;
      readonly resume: (answer: Answer) => ThreadState;
    }
  | { readonly kind: 'end' };

/** Everything a step needs to know. */
export interface StepInput {
  readonly program: ThreadProgram;
  readonly state: ThreadState;
  readonly slot: CodeSlot;
}

/** Asks for an effect; the state that `resume` gets has counted it already. */
export function ask(
  input: StepInput,
  body: EffectBody,
  resume: (state: ThreadState, answer: Answer) => ThreadState,
): Step {
  const { program, slot, state } = input;
  const location = {
    file: slot.at.file,
    line: slot.at.line,
    function: program.name,
    text: slot.text === END_TEXT ? 'end of thread' : slot.text,
  };
  const counted = { ...state, count: state.count + 1 };
  return {
    kind: 'ask',
    effect: { ...body, location },
    resume: (answer) => resume(counted, answer),
  };
}

/** The state at the next instruction. */
export function advance(state: ThreadState): ThreadState {
  return { ...state, pc: state.pc + 1, phase: NO_PHASE };
}

/** Whether an answer to a branch or choice is option 1. */
export function isOne(answer: Answer): boolean {
  return answer.kind === 'value' && answer.value !== 0n;
}
