import { LEDGER_SLOTS } from '../machine/ledger.ts';
import type { State } from '../machine/state.ts';
import { KIND, type EffectInfo } from '../machine/effect-info.ts';
import type { Machine } from '../machine/machine.ts';
import { EVENT, type Transition } from '../machine/transition.ts';
import { AT, get } from '../machine/window.ts';

/**
 * What a step of a run touches, coarsely: resources it reads and resources it changes. Two steps that
 * share no resource which one of them changes are independent: neither enables or disables the other,
 * and they come to the same state with the same facts in either order. Coarse means that steps may be
 * called dependent that are not, never the other way round; a property test holds it to that.
 *
 * Resources:
 * - `window p`: instructions in flight of a PE, which ties all its own steps together;
 * - `cell c`: one memory location;
 * - `tables`: anything a walk reads. Writing to a table changes what every PE may hold, and marks
 *   what is in flight;
 * - `flight p`: translated accesses of a PE in flight, and what it may hold;
 * - `ledger`: which slots are taken, by an issue or a completion: the next issue gets the lowest;
 * - `slot k`: where a TLBI has taken effect;
 * - `lock n`, `pages`: ghost state.
 */
export interface Footprint {
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

/** The footprint of a step taken from a state. */
export function footprintOf(machine: Machine, state: State, t: Transition): Footprint {
  const { inspect, setup } = machine;
  inspect.load(state);
  const pes = setup.threads.length;
  const reads: string[] = [];
  const writes: string[] = [];
  const allFlights = (): void => {
    for (let pe = 0; pe < pes; pe += 1) writes.push(`flight ${pe}`);
  };
  const changed = cellsChanged(machine, state, t);
  if (usedSlots(machine, state) !== usedSlots(machine, t.next)) writes.push('ledger');
  inspect.load(state);
  // A write of the value that is there already counts: translations built from it grow old.
  if (t.event === EVENT.write) changed.push(get(inspect.window(t.pe), t.index, AT.cell));
  for (const cell of changed) {
    writes.push(`cell ${cell}`);
    if (mayBeTable(machine, cell)) {
      writes.push('tables');
      allFlights();
    }
  }
  if (t.event === EVENT.writeBack || t.pe < 0) {
    writes.push(`cell ${t.index}`);
    return { reads, writes };
  }
  if (t.event === EVENT.deliver) {
    writes.push(`slot ${t.index}`, `window ${inspect.slotIssuer(t.index)}`, `flight ${t.pe}`);
    reads.push('tables');
    for (const issuer of issuersHeldUp(machine, t.pe, t.index)) writes.push(`window ${issuer}`);
    return { reads, writes };
  }
  const w = inspect.window(t.pe);
  const info = w.infos[t.index] as EffectInfo;
  writes.push(`window ${t.pe}`);
  const cell = get(w, t.index, AT.cell);
  if (cell >= 0) reads.push(`cell ${cell}`);
  if (info.translated) {
    // Performing it may complete TLBIs of other PEs that wait for it; the mark `dead` shows in facts.
    writes.push(`flight ${t.pe}`);
    reads.push('tables', 'pages');
    for (const issuer of issuersWaitingFor(machine, t)) writes.push(`window ${issuer}`);
  }
  switch (info.kind) {
    case KIND.lock:
    case KIND.unlock:
      if (info.effect.kind === 'lock' || info.effect.kind === 'unlock') {
        writes.push(`lock ${info.effect.lock}`);
      }
      break;
    case KIND.announce:
    case KIND['free-page']:
    case KIND['alloc-page']:
      writes.push('pages', 'tables');
      allFlights();
      break;
    case KIND.context:
    case KIND.isb:
    case KIND['exception-entry']:
    case KIND['exception-return']:
      writes.push(`flight ${t.pe}`);
      reads.push('tables', 'pages');
      break;
    case KIND.load:
    case KIND.store:
    case KIND.rmw:
      // Whether the page has been freed shows in facts.
      reads.push('pages');
      break;
    case KIND.dsb:
      // Under the repeat-TLBI erratum it marks accesses of all PEs.
      if (setup.translation.features.erratumRepeatTlbi) allFlights();
      break;
    default:
  }
  return { reads, writes };
}

/** Whether the two may be taken in either order with the same result. */
export function independent(a: Footprint, b: Footprint): boolean {
  return !(
    a.writes.some((r) => b.writes.includes(r) || b.reads.includes(r)) ||
    b.writes.some((r) => a.reads.includes(r))
  );
}

function cellsChanged(machine: Machine, state: State, t: Transition): number[] {
  const { inspect } = machine;
  const count = inspect.memory.cellCount();
  inspect.load(state);
  const before: number[] = [];
  for (let cell = 0; cell < count; cell += 1) before.push(inspect.slot(cell));
  inspect.load(t.next);
  return before.flatMap((slot, cell) => (inspect.slot(cell) === slot ? [] : [cell]));
}

/** Ledger slots taken in a state, as a mask. */
function usedSlots(machine: Machine, state: State): number {
  const { inspect } = machine;
  inspect.load(state);
  let mask = 0;
  for (let slot = 0; slot < LEDGER_SLOTS; slot += 1) {
    if (inspect.slotIssuer(slot) >= 0) mask |= 1 << slot;
  }
  return mask;
}

/** A word that walks might read: anything but the lines of guest pages. */
function mayBeTable(machine: Machine, cell: number): boolean {
  return !machine.inspect.memory.isLineCell(cell);
}

/** Issuers of the TLBIs that wait for the access of a step, in the state last loaded. */
function issuersWaitingFor(machine: Machine, t: Transition): readonly number[] {
  const { inspect } = machine;
  const w = inspect.window(t.pe);
  let slots = 0;
  for (let i = 0; i < w.count; i += 1) {
    slots |= get(w, i, AT.obligations) | get(w, i, AT.translationObligations);
  }
  return issuersOf(machine, slots);
}

/** The delivery of a slot is looked at together with what else the PE owes. */
function issuersHeldUp(machine: Machine, pe: number, slot: number): readonly number[] {
  const { inspect } = machine;
  const w = inspect.window(pe);
  let slots = 1 << slot;
  for (let i = 0; i < w.count; i += 1) slots |= get(w, i, AT.obligations);
  return issuersOf(machine, slots);
}

function issuersOf(machine: Machine, slots: number): readonly number[] {
  const found: number[] = [];
  for (let slot = 0; slot < LEDGER_SLOTS; slot += 1) {
    if ((slots & (1 << slot)) === 0) continue;
    const issuer = machine.inspect.slotIssuer(slot);
    if (issuer >= 0 && !found.includes(issuer)) found.push(issuer);
  }
  return found;
}
