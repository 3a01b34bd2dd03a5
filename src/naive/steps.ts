import { accessSteps } from './access-steps.ts';
import { barrierSteps } from './barrier-steps.ts';
import { fillSteps } from './fill.ts';
import { delivered } from './invalidate.ts';
import type { NaiveState } from './state.ts';
import { quiet, type Step } from './step.ts';
import { translateSteps } from './translate-steps.ts';
import type { World } from './world.ts';

/**
 * Every transition of a settled state; TLB fills among them if asked for.
 *
 * A step marked `eager` is taken alone as soon as it is enabled: fault events, DSBs, and ISBs without a
 * register write to synchronise. Nothing waits for their absence, they change no memory, TLB or
 * context, and having them behind oneself only removes waiting; so whatever a run does before one of
 * them it can as well do after it.
 */
export function steps(world: World, state: NaiveState, tlbFills: boolean): readonly Step[] {
  const events = state.pes.flatMap((pe, index) =>
    pe.window.flatMap((_, at) => [
      ...translateSteps(world, state, index, at),
      ...accessSteps(world, state, index, at),
      ...barrierSteps(world, state, index, at),
    ]),
  );
  const eager = events.find((step) => step.eager);
  if (eager !== undefined) return [eager];
  const others = [...events, ...deliverySteps(world, state)];
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
    })),
  );
}
