import { DONE, type Answer, type Effect } from '../program/effect.ts';

/** Code that yields effects: of a host or of a guest. */
export type EffectCode<Result> = Generator<Effect, Result, Answer>;

/**
 * Runs code with each effect replaced by zero or more others. The code goes on with the answer to
 * the last of them, or, when there is none, as if it had been done; an effect whose value the code
 * needs must therefore not be taken out.
 */
export function* mapEffects<Result>(
  code: EffectCode<Result>,
  replace: (effect: Effect) => readonly Effect[],
): EffectCode<Result> {
  let step = code.next();
  while (step.done !== true) {
    let answer: Answer = DONE;
    for (const effect of replace(step.value)) answer = yield effect;
    step = code.next(answer);
  }
  return step.value;
}
