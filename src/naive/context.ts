import type { Context } from '../program/effect.ts';
import type { Pe } from './state.ts';

/**
 * The contexts that the instance at `at` may use: the synchronised one first, then one after each
 * register write that has happened since and is not synchronised. Pass the window length for the
 * contexts in force now, in which a walker may run ahead.
 *
 * Earlier writes take effect in program order: with two of them pending, the context is that before
 * both, between them or after both. Register by register (Falkor E1003) is not modelled.
 */
export function contextsAt(pe: Pe, at: number): readonly Context[] {
  let contexts: readonly Context[] = [pe.context, ...pe.pending];
  for (const { effect, done } of pe.window.slice(0, at)) {
    if (done) contexts = afterEffect(contexts, effect);
  }
  return contexts;
}

/** The contexts after one effect that is done. */
export function afterEffect(
  contexts: readonly Context[],
  effect: Pe['window'][number]['effect'],
): readonly Context[] {
  const newest = contexts.at(-1);
  if (newest === undefined) return contexts;
  switch (effect.kind) {
    case 'context':
      return [...contexts, { ...newest, ...effect.change }];
    case 'isb':
      return [newest];
    case 'exception-entry':
    case 'exception-return':
      return [{ ...newest, el: effect.toEl }];
    default:
      return contexts;
  }
}
