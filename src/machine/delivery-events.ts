import { writtenBack } from './cache-line.ts';
import type { State } from './state.ts';
import { deliver } from './invalidation.ts';
import { EVENT } from './transition.ts';
import type { StepContext } from './step-context.ts';
import type { Visibility } from './visibility.ts';

/** What happens without an instruction: TLBIs take effect at a PE, dirty lines are written back. */
export interface DeliveryEvents {
  deliverAt(state: State, slot: number, pe: number): void;
  deliverEverywhere(slot: number): void;
  writeBack(state: State, cell: number): void;
}

/** Deliveries and write-backs of one machine. */
export function createDeliveryEvents(
  step: StepContext,
  { changePoc, reclose }: Visibility,
): DeliveryEvents {
  const { draft, features, peCount, begin, emit } = step;
  const { memory } = draft;

  /** For the fault `tlbi-at-once`. */
  function deliverEverywhere(slot: number): void {
    for (let pe = 0; pe < peCount; pe += 1) {
      if ((draft.slotPending(slot) & (1 << pe)) === 0) continue;
      deliver(draft, slot, pe, false);
      reclose(pe);
    }
  }

  function deliverAt(state: State, slot: number, pe: number): void {
    begin(state);
    deliver(draft, slot, pe, features.erratumRepeatTlbi);
    reclose(pe);
    emit(pe, slot, EVENT.deliver, -1);
  }

  function writeBack(state: State, cell: number): void {
    begin(state);
    const slot = draft.slot(cell);
    changePoc(cell, slot, writtenBack(memory, slot));
    emit(-1, cell, EVENT.writeBack, -1);
  }

  return { deliverAt, deliverEverywhere, writeBack };
}
