import { DONE, type Effect } from '../../program/effect.ts';
import type { EffectCode } from '../map-effects.ts';

/**
 * Runs code with one kind of reordering: from an effect that `begins` on, effects are held back until
 * one that `ends` comes; that one is let through first, then those held back. What is held back is
 * answered at once, so only effects whose answer tells nothing can be; any other one, or the end of
 * the code, lets everything through in its old order.
 */
export function* hoist<Result>(
  code: EffectCode<Result>,
  begins: (effect: Effect) => boolean,
  ends: (effect: Effect) => boolean,
): EffectCode<Result> {
  let held: Effect[] = [];
  let step = code.next();
  while (step.done !== true) {
    const effect = step.value;
    if (held.length > 0 && ends(effect)) {
      const answer = yield effect;
      yield* held;
      held = [];
      step = code.next(answer);
    } else if (isSilent(effect) && (held.length > 0 || begins(effect))) {
      held.push(effect);
      step = code.next(DONE);
    } else {
      yield* held;
      held = [];
      step = code.next(yield effect);
    }
  }
  yield* held;
  return step.value;
}

/** Runs code with two neighbours exchanged wherever they come one right after the other. */
export function* swap<Result>(
  code: EffectCode<Result>,
  first: (effect: Effect) => boolean,
  second: (effect: Effect) => boolean,
): EffectCode<Result> {
  let step = code.next();
  while (step.done !== true) {
    const effect = step.value;
    if (!isSilent(effect) || !first(effect)) {
      step = code.next(yield effect);
      continue;
    }
    const following = code.next(DONE);
    if (following.done !== true && second(following.value)) {
      const answer = yield following.value;
      yield effect;
      step = code.next(answer);
    } else {
      yield effect;
      step = following;
    }
  }
  return step.value;
}

/** Whether the answer to the effect tells the code nothing. */
export function isSilent(effect: Effect): boolean {
  switch (effect.kind) {
    case 'load':
    case 'store':
    case 'rmw':
    case 'fetch':
      return !effect.wanted;
    case 'choose':
    case 'alloc-page':
    case 'branch':
    case 'select':
    case 'lock':
      return false;
    default:
      return true;
  }
}
