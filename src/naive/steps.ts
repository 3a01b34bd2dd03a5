import { accessSteps } from './access-steps.ts';
import { barrierSteps } from './barrier-steps.ts';
import { fillSteps } from './fill.ts';
import { delivered } from './invalidate.ts';
import type { NaiveState } from './state.ts';
import { quiet, type Step } from './step.ts';
import { translateSteps } from './translate-steps.ts';
import { upcoming } from './upcoming.ts';
import type { World } from './world.ts';

/**
 * Every transition of a settled state; TLB fills among them if asked for.
 *
 * A step marked `eager` is taken alone as soon as it is enabled: fault events, DSBs, and ISBs without a
 * register write to synchronise. Nothing waits for their absence, they change no memory, TLB or
 * context, and having them behind oneself only removes waiting; so whatever a run does before one of
 * them it can as well do after it. The same goes for a delivery to a PE that has nothing translated in
 * flight and will translate nothing: it removes nothing that is looked up and records nothing.
 */
export function steps(world: World, state: NaiveState, tlbFills: boolean): readonly Step[] {
  const events = state.pes.flatMap((pe, index) =>
    pe.window.flatMap((_, at) => [
      ...translateSteps(world, state, index, at),
      ...accessSteps(world, state, index, at),
      ...barrierSteps(world, state, index, at),
    ]),
  );
  const others = [...events, ...deliverySteps(world, state)];
  const eager = others.find((step) => step.eager);
  if (eager !== undefined) return [eager];
  return [...others, ...fillSteps(world, state, others, tlbFills)];
}

/** A TLBI reaches a PE at some time after its issue; a DSB of its own PE waits for all of them. */
function deliverySteps(world: World, state: NaiveState): readonly Step[] {
  return state.ledger.flatMap((item) =>
    item.undelivered.map((index) => ({
      ...quiet(
        `${item.op.name} of PE${item.pe} reaches PE${index}`,
        delivered(world, state, item, index),
      ),
      disturbs: index,
      eager: isIndifferent(world, state, index),
    })),
  );
}

function isIndifferent(world: World, state: NaiveState, index: number): boolean {
  const pe = state.pes[index];
  const tree = world.setup.threads[index]?.tree;
  if (pe === undefined || tree === undefined) return true;
  return (
    pe.window.every(({ translation }) => translation === null) && !upcoming(tree, pe).translates
  );
}
