import { LEDGER_SLOTS, type Draft, type State } from './draft.ts';
import { KIND, type EffectInfo } from './effect-info.ts';
import type { Fact } from './facts.ts';
import {
  mayFire,
  readPending,
  translationPending,
  updatePending,
  writePending,
} from './local-order.ts';
import { isLine } from './memory.ts';
import type { MachineSetup } from './setup.ts';
import { FLAG, flagsOf, type Window } from './window.ts';
import type { End, Site, Transition } from './transition.ts';
import { createStepContext } from './step-context.ts';
import { createVisibility } from './visibility.ts';
import { createAccessFacts } from './access-facts.ts';
import { createStoreData } from './store-data.ts';
import { createTranslateEvents } from './translate-events.ts';
import { createReadEvents } from './read-events.ts';
import { createWriteEvents } from './write-events.ts';
import { createUpdateEvents } from './update-events.ts';
import { createDeliveryEvents } from './delivery-events.ts';
import { createSingleEvents } from './single-events.ts';
import { createEager } from './eager.ts';

/** The machine of one setup. The step function is pure; what it caches is invisible. */
export interface Machine {
  readonly setup: MachineSetup;
  readonly initial: State;
  /** Facts that hold in the initial state already. */
  readonly initialFacts: readonly Fact[];
  /** All transitions of a state, in a fixed order. */
  transitions(state: State): readonly Transition[];
  /**
   * Where something might happen in this state, without working out what: an instance that is not
   * done, a pending delivery, a dirty line, hardware that may set access flags by itself. For walks
   * that take one step of a state and not all.
   */
  sites(state: State): readonly Site[];
  /** The transitions of one site; `transitions` is those of all sites, in the order of `sites`. */
  at(state: State, site: Site): readonly Transition[];
  /**
   * Transitions that may be explored alone from this state without losing a behaviour that a rule or
   * an outcome can see, or an empty list when there are none: see docs/reduction.md.
   */
  eager(state: State): readonly Transition[];
  /** Why a state without transitions is at its end. */
  end(state: State): End;
  /** For reports and outcome sets: reads only. */
  readonly inspect: Draft;
}

/** Builds the machine of a setup. */
export function createMachine(setup: MachineSetup): Machine {
  const step = createStepContext(setup);
  const { draft, peCount, out, watch, broken } = step;
  const { memory } = draft;
  const managesAccessFlags =
    !broken?.has('no-spontaneous-af') &&
    setup.threads.some(
      ({ context }) => context.stage1 !== null && context.stage1.hardwareUpdate !== 'none',
    );
  const visibility = createVisibility(step);
  const accessFacts = createAccessFacts(step);
  const storeData = createStoreData(step);
  const translate = createTranslateEvents(step);
  const read = createReadEvents(step, accessFacts, storeData);
  const write = createWriteEvents(step, accessFacts, storeData, visibility);
  const update = createUpdateEvents(step, visibility);
  const delivery = createDeliveryEvents(step, visibility);
  const single = createSingleEvents(step, visibility, delivery);
  const { eager } = createEager(step, translate, read, single);
  const { translations, faults } = translate;
  const { updates, spontaneousUpdates } = update;
  const { deliveries, deliverAt, writeBacks, writeBack } = delivery;
  const { fires, guess } = single;
  const { reads } = read;
  const { writes } = write;

  function transitions(state: State): readonly Transition[] {
    out.length = 0;
    for (let pe = 0; pe < peCount; pe += 1) {
      draft.load(state);
      const count = draft.window(pe).count;
      for (let j = 0; j < count; j += 1) instance(state, pe, j);
    }
    deliveries(state);
    writeBacks(state);
    if (managesAccessFlags) spontaneousUpdates(state);
    return out.slice();
  }

  /** The transitions of one instance. */
  function instance(state: State, pe: number, j: number): void {
    draft.load(state);
    const w = draft.window(pe);
    const info = w.infos[j] as EffectInfo;
    const flags = flagsOf(w, j);
    if ((flags & FLAG.faulted) !== 0) {
      if ((flags & FLAG.faultDone) === 0) faults(state, pe, w, j);
    } else if (info.reads || info.writes) {
      if (translationPending(w, j)) {
        translations(state, pe, w, j);
        return;
      }
      if (updatePending(w, j)) {
        updates(state, pe, w, j);
        draft.load(state);
        draft.window(pe);
      }
      if (readPending(w, j)) reads(state, pe, w, j);
      else if (writePending(w, j)) writes(state, pe, w, j);
    } else if (info.kind === KIND.branch || info.kind === KIND.select) {
      if ((flags & (FLAG.guessed | FLAG.fired)) === 0) guess(state, pe, j);
    } else if ((flags & FLAG.fired) === 0 && info.kind !== KIND.dmb) fires(state, pe, w, j);
  }

  function sites(state: State): readonly Site[] {
    const found: Site[] = [];
    draft.load(state);
    for (let pe = 0; pe < peCount; pe += 1) {
      const { count } = draft.window(pe);
      for (let index = 0; index < count; index += 1) found.push({ pe, index, kind: 'instance' });
    }
    for (let index = 0; index < LEDGER_SLOTS; index += 1) {
      const pending = draft.slotPending(index);
      for (let pe = 0; pe < peCount; pe += 1) {
        if ((pending & (1 << pe)) !== 0) found.push({ pe, index, kind: 'deliver' });
      }
    }
    if (setup.dataCache === 'modelled') {
      for (let index = 0; index < memory.cellCount(); index += 1) {
        const slot = draft.slot(index);
        if (isLine(slot) && memory.line(slot).dirty >= 0) {
          found.push({ pe: -1, index, kind: 'write-back' });
        }
      }
    }
    if (managesAccessFlags) found.push({ pe: -1, index: -1, kind: 'update' });
    return found;
  }

  function at(state: State, site: Site): readonly Transition[] {
    out.length = 0;
    if (site.kind === 'instance') instance(state, site.pe, site.index);
    else if (site.kind === 'deliver') deliverAt(state, site.index, site.pe);
    else if (site.kind === 'write-back') writeBack(state, site.index);
    else spontaneousUpdates(state);
    return out.slice();
  }

  function waitsForLock(w: Window): boolean {
    for (let j = 0; j < w.count; j += 1) {
      const { effect } = w.infos[j] as EffectInfo;
      if (effect.kind === 'lock' && (flagsOf(w, j) & FLAG.fired) === 0 && mayFire(w, j))
        return true;
    }
    return false;
  }

  function end(state: State): End {
    draft.load(state);
    let unfinished = 0;
    let waiting = 0;
    for (let pe = 0; pe < peCount; pe += 1) {
      if (draft.ended(pe)) continue;
      unfinished += 1;
      if (waitsForLock(draft.window(pe))) waiting += 1;
    }
    if (unfinished === 0) return 'finished';
    // A PE that is stuck for another reason has run into an order that cannot be completed, and who
    // waits for its lock says nothing.
    return waiting === unfinished ? 'deadlock' : 'impossible';
  }

  const initialFacts: Fact[] = [];
  draft.load(draft.initial);
  for (let pe = 0; pe < peCount; pe += 1) watch.look(pe, -1, initialFacts);
  return {
    setup,
    initial: draft.initial,
    initialFacts,
    transitions,
    sites,
    at,
    eager,
    end,
    inspect: draft,
  };
}
