import { writtenBack } from './cache-line.ts';
import { LEDGER_SLOTS, type State } from './draft.ts';
import { deliver } from './invalidation.ts';
import { isLine } from './memory.ts';
import { EVENT } from './transition.ts';
import type { StepContext } from './step-context.ts';
import type { Visibility } from './visibility.ts';

/** What happens without an instruction: TLBIs take effect at a PE, dirty lines are written back. */
export interface DeliveryEvents {
  deliveries(state: State): void;
  deliverAt(state: State, slot: number, pe: number): void;
  deliverEverywhere(slot: number): void;
  writeBacks(state: State): void;
  writeBack(state: State, cell: number): void;
}

/** Deliveries and write-backs of one machine. */
export function createDeliveryEvents(
  step: StepContext,
  { changePoc, reclose }: Visibility,
): DeliveryEvents {
  const { setup, draft, features, peCount, begin, emit } = step;
  const { memory } = draft;

  function deliveries(state: State): void {
    draft.load(state);
    for (let slot = 0; slot < LEDGER_SLOTS; slot += 1) {
      draft.load(state);
      const pending = draft.slotPending(slot);
      for (let pe = 0; pe < peCount; pe += 1) {
        if ((pending & (1 << pe)) !== 0) deliverAt(state, slot, pe);
      }
    }
  }

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

  function writeBacks(state: State): void {
    if (setup.dataCache === 'coherent') return;
    draft.load(state);
    for (let cell = 0; cell < memory.cellCount(); cell += 1) {
      draft.load(state);
      const slot = draft.slot(cell);
      if (isLine(slot) && memory.line(slot).dirty >= 0) writeBack(state, cell);
    }
  }

  function writeBack(state: State, cell: number): void {
    begin(state);
    const slot = draft.slot(cell);
    changePoc(cell, slot, writtenBack(memory, slot));
    emit(-1, cell, EVENT.writeBack, -1);
  }

  return { deliveries, deliverAt, deliverEverywhere, writeBacks, writeBack };
}
