import { DONE, type Answer, type Effect } from '../program/effect.ts';
import { hasFaulted, known } from './instance.ts';
import { afterEffect } from './context.ts';
import type { Instance, NaiveState, Pe, Recorded } from './state.ts';
import type { World } from './world.ts';

/**
 * Everything that happens by itself between two transitions: branches are checked once their
 * condition is known, finished instances retire from the head of the window, and the window is filled
 * up. Guesses and free choices give several states; a wrong guess gives none.
 */
export function settle(world: World, state: NaiveState): readonly NaiveState[] {
  let settled: readonly NaiveState[] = [discharge(state)];
  for (let pe = 0; pe < state.pes.length; pe += 1) {
    settled = settled.flatMap((at) => settlePe(world, at, pe));
  }
  return settled;
}

/** The state with one PE replaced. */
export function withPe(state: NaiveState, index: number, pe: Pe): NaiveState {
  return { ...state, pes: state.pes.map((old, i) => (i === index ? pe : old)) };
}

/** Drops obligations that are met (or whose instance was discarded) and complete invalidations. */
function discharge(state: NaiveState): NaiveState {
  if (state.ledger.length === 0) return state;
  const ledger = state.ledger
    .map((item) => ({
      ...item,
      obligations: item.obligations.filter(({ pe, seq, event }) => {
        const instance = state.pes[pe]?.window.find((candidate) => candidate.seq === seq);
        if (instance === undefined || instance.done) return false;
        return event === 'access' || instance.translation === null;
      }),
    }))
    .filter(({ undelivered, obligations }) => undelivered.length + obligations.length > 0);
  return { ...state, ledger };
}

function settlePe(world: World, state: NaiveState, index: number): readonly NaiveState[] {
  const pe = state.pes[index];
  const thread = world.setup.threads[index];
  if (pe === undefined || thread === undefined) return [];
  const checked = checkBranches(pe);
  if (checked === null) return [];
  const current = retire(checked);
  const effect = thread.tree.effectAt(current.node);
  const last = current.window.at(-1);
  const full = current.window.length >= world.setup.bounds.window;
  if (effect === null || full || (last !== undefined && isAwaited(last))) {
    return [withPe(state, index, current)];
  }
  return guesses(effect).flatMap((guess) => {
    const instance: Instance = {
      seq: current.nextSeq,
      node: current.node,
      effect,
      guess,
      translation: null,
      done: ['dmb', 'announce', 'choose'].includes(effect.kind),
      value: effect.kind === 'choose' ? guess : null,
      source: null,
    };
    const answer: Answer = guess === null ? DONE : { kind: 'value', value: guess };
    const grown: Pe = {
      ...current,
      // An awaited instance leaves the node where it is until its answer is known.
      node: isAwaited(instance) ? current.node : thread.tree.next(current.node, answer),
      nextSeq: current.nextSeq + 1,
      window: [...current.window, instance],
    };
    return settlePe(world, withPe(state, index, grown), index);
  });
}

/** The front end cannot go on without the answer of this instance. */
export function isAwaited(instance: Instance): boolean {
  const { effect, done, translation, value } = instance;
  if (done || hasFaulted(instance) || (effect.kind === 'rmw' && value !== null)) return false;
  switch (effect.kind) {
    case 'load':
    case 'rmw':
    case 'fetch':
      return effect.wanted;
    case 'store':
      return effect.wanted && effect.at.kind === 'virtual' && translation === null;
    case 'alloc-page':
      return true;
    default:
      return false;
  }
}

function guesses(effect: Effect): readonly (bigint | null)[] {
  if (effect.kind === 'branch' || effect.kind === 'select') return [0n, 1n];
  if (effect.kind === 'choose') return Array.from({ length: effect.options }, (_, i) => BigInt(i));
  return [null];
}

function checkBranches(pe: Pe): Pe | null {
  const window: Instance[] = [];
  for (const instance of pe.window) {
    const { effect, guess, done } = instance;
    if ((effect.kind !== 'branch' && effect.kind !== 'select') || done) {
      window.push(instance);
      continue;
    }
    const condition = known(pe, effect.condition);
    if (condition !== undefined && (condition !== 0n) !== (guess === 1n)) return null;
    window.push(condition === undefined ? instance : { ...instance, done: true });
  }
  return { ...pe, window };
}

function retire(pe: Pe): Pe {
  let current = pe;
  for (;;) {
    const [head, ...window] = current.window;
    if (head === undefined || !head.done) return current;
    const [context, ...pending] = afterEffect([current.context, ...current.pending], head.effect);
    current = {
      ...current,
      window,
      context: context ?? current.context,
      pending,
      record: [...current.record, ...recorded(head)],
    };
  }
}

function recorded({ seq, effect, translation, value }: Instance): readonly Recorded[] {
  if (translation?.result.kind === 'fault') {
    return [{ seq, answer: { kind: 'fault', fault: translation.result.fault }, shown: true }];
  }
  if (value === null) return [];
  const shown = ['load', 'rmw', 'fetch'].includes(effect.kind);
  return [{ seq, answer: { kind: 'value', value }, shown }];
}
