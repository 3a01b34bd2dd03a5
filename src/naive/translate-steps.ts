import { DONE } from '../program/effect.ts';
import { contextsAt } from './context.ts';
import { isAwaited } from './fetch-ahead.ts';
import { accessOf, hasFaulted, known, placeOf } from './instance.ts';
import { accessesBeforeFaultDone, mayFault, mayTranslate } from './local-order.ts';
import type { Instance, NaiveState, Pe, Translation } from './state.ts';
import { quiet, withInstance, withPeChange, type Step } from './step.ts';
import { translations } from './translate.ts';
import type { World } from './world.ts';

/** The ways T of the instance at `at` can happen now, and its fault event. */
export function translateSteps(
  world: World,
  state: NaiveState,
  index: number,
  at: number,
): readonly Step[] {
  const pe = state.pes[index];
  const instance = pe?.window[at];
  if (pe === undefined || instance === undefined || instance.done) return [];
  if (hasFaulted(instance)) {
    if (!mayFault(pe, at)) return [];
    const next = withInstance(state, index, at, { done: true });
    return [{ ...quiet(`PE${index} fault event ${instance.seq}`, next), eager: true }];
  }
  const place = placeOf(instance.effect);
  if (place?.kind !== 'virtual' || instance.translation !== null) return [];
  const va = known(pe, place.address);
  if (va === undefined || !mayTranslate(world, pe, at)) return [];
  return contextsAt(pe, at).flatMap((context) => {
    if (context.el === 2) {
      throw new RangeError('A virtual place is in the EL1&0 regime; at EL2 it is not modelled.');
    }
    const view = { world, state, tlb: pe.tlb, context };
    const access = accessOf(instance.effect);
    return translations(view, { va, access, el0: place.unprivileged || context.el === 0 })
      .filter((translation) => mayEnd(world, pe, at, translation))
      .flatMap((translation) => translated(world, state, index, at, instance, translation));
  });
}

/** ETS2 for translation and access flag faults, ETS3 for all faults of the MMU. */
function mayEnd(world: World, pe: Pe, at: number, { result }: Translation): boolean {
  if (result.kind === 'ok') return true;
  const { cause } = result.fault;
  const ordered =
    world.features.ets === 'ets3' ||
    (world.features.ets === 'ets2' && (cause === 'translation' || cause === 'access-flag'));
  return !ordered || accessesBeforeFaultDone(pe, at);
}

function translated(
  world: World,
  state: NaiveState,
  index: number,
  at: number,
  instance: Instance,
  translation: Translation,
): readonly Step[] {
  const tree = world.setup.threads[index]?.tree;
  if (tree === undefined) return [];
  const next = withInstance(state, index, at, { translation });
  const label = `PE${index} translates ${instance.seq}`;
  if (translation.result.kind === 'ok') {
    if (instance.effect.kind !== 'store' || !isAwaited(instance)) return [quiet(label, next)];
    const node = tree.next(instance.node, DONE);
    return [
      quiet(
        label,
        withPeChange(next, index, () => ({ node })),
      ),
    ];
  }
  // Later instances never were. Those that cannot be taken back exist only in runs without the fault.
  const later = state.pes[index]?.window.slice(at + 1) ?? [];
  if (later.some(({ effect, done }) => done && ISSUED.has(effect.kind))) return [];
  const { fault } = translation.result;
  const discarded = withPeChange(next, index, ({ window }) => ({
    window: window.slice(0, at + 1),
    node: tree.next(instance.node, { kind: 'fault', fault }),
    nextSeq: instance.seq + 1,
  }));
  return [{ ...quiet(`${label}: fault`, discarded) }];
}

/** Effects that may happen before T of an earlier access and cannot be undone. */
const ISSUED: ReadonlySet<string> = new Set(['tlbi', 'ic', 'context']);
