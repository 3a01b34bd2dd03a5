import type { Draft } from './draft.ts';
import { KIND, type EffectInfo } from './effect-info.ts';
import type { Fact } from './facts.ts';
import {
  mayFire,
  readPending,
  translationPending,
  updatePending,
  writePending,
} from './local-order.ts';
import { LEDGER_SLOTS } from './ledger.ts';
import type { MachineSetup } from './setup.ts';
import { createLookAhead, type LookAhead } from './look-ahead.ts';
import { READ } from './read-trail.ts';
import { STATE, type Change, type State, type Step } from './state.ts';
import { createResting } from './resting.ts';
import { createStepList } from './step-list.ts';
import { createStepMemo } from './step-memo.ts';
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
  /**
   * All steps of a state, in a fixed order, as what they change. The list is good until the next call;
   * the steps themselves are shared and stay.
   */
  steps(state: State): readonly Step[];
  /** The steps of the instructions of one PE, among those of `steps`. */
  stepsOf(state: State, pe: number): readonly Step[];
  /** The deliveries to one PE, among those of `steps`; good until the next call. */
  deliveriesTo(state: State, pe: number): readonly Step[];
  /** The steps that belong to no PE, among those of `steps`; good until the next call. */
  memorySteps(state: State): readonly Step[];
  /** PEs at rest (resting.ts), a bit each. */
  resting(state: State): number;
  /** `eager` as what the steps change; instructions of the PEs in the mask are left out. */
  eagerSteps(state: State, except?: number): readonly Step[];
  /** Makes the changes of a step, or of several, in a copy of the state they were found in. */
  apply(change: Change, state: State): void;
  /** Remembers what comes out of looking ahead: `LookAhead.remember`. */
  lookAhead: LookAhead['remember'];
  /**
   * Replaces a state by the one that stands for all states which differ only in the names of
   * interchangeable PEs.
   */
  canonicalise(state: State, pe?: number): number;
  /**
   * PEs that an interchangeable one before them stands for, a bit each, in a state that stands for others:
   * what they can do leads to states that differ in names alone.
   */
  twins(state: State): number;
  /** Forgets what steps it has found where: memory is freed, nothing else changes. */
  forgetSteps(): void;
  /** All transitions of a state, in a fixed order: `steps` with the states they lead to. */
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

const NO_STEPS: readonly Step[] = [];

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
  const { eagerAt, eagerDelivery } = createEager(step, translate, read, single);
  const { translations, faults } = translate;
  const { updates, spontaneousUpdates } = update;
  const { deliverAt, writeBack } = delivery;
  const { fires, guess } = single;
  const { reads } = read;
  const { writes } = write;

  const memo = createStepMemo(draft);
  const eagerMemo = createStepMemo(draft);
  const sitesPerPe = LEDGER_SLOTS + 2;
  const firstCell = peCount * sitesPerPe + 1;
  const found = createStepList();
  const deliveries = createStepList();
  const instancesSite = (pe: number): number => pe * sitesPerPe;
  const deliverySite = (slot: number, pe: number): number => pe * sitesPerPe + 2 + slot;
  const ahead = createLookAhead(
    {
      memory,
      part: draft.part,
      apply: draft.apply,
      instancesSite,
      deliverySite,
      steps: (site, state) => memo.steps(site, state, find),
      looks: memo.looks,
    },
    draft.initial.length,
  );

  // What is remembered is kept per site; a site is a number: for each PE its instances, its eager
  // instances, and each slot of the ledger twice; then hardware updates, then dirty lines by cell.
  function find(state: State, site: number): readonly Step[] {
    out.length = 0;
    if (site >= firstCell) writeBack(state, site - firstCell);
    else if (site === firstCell - 1) spontaneousUpdates(state);
    else {
      const pe = Math.floor(site / sitesPerPe);
      const slot = (site % sitesPerPe) - 2;
      if (slot === -2) instances(state, pe);
      else if (slot === -1) eagerAt(state, pe);
      else deliverAt(state, slot, pe);
    }
    return out.slice();
  }

  function findEagerDelivery(state: State, site: number): readonly Step[] {
    out.length = 0;
    const pe = Math.floor(site / sitesPerPe);
    eagerDelivery(state, (site % sitesPerPe) - 2, pe);
    return out.slice();
  }

  function steps(state: State): readonly Step[] {
    found.clear();
    for (let pe = 0; pe < peCount; pe += 1) found.add(stepsOf(state, pe));
    const pending = draft.pendingDeliveries(state);
    for (let i = 0; i < pending.length; i += 2) {
      const slot = pending[i] as number;
      for (let pe = 0; pe < peCount; pe += 1) {
        if (((pending[i + 1] as number) & (1 << pe)) === 0) continue;
        found.add(memo.steps(deliverySite(slot, pe), state, find));
      }
    }
    addMemorySteps(state);
    return found.list();
  }

  function addMemorySteps(state: State): void {
    if (setup.dataCache === 'modelled') {
      for (const cell of memory.dirtyCells(state[STATE.memory] as number)) {
        found.add(memo.steps(firstCell + cell, state, find));
      }
    }
    if (managesAccessFlags) found.add(memo.steps(firstCell - 1, state, find));
  }

  function memorySteps(state: State): readonly Step[] {
    found.clear();
    addMemorySteps(state);
    return found.list();
  }

  const stepsOf = (state: State, pe: number): readonly Step[] =>
    memo.steps(instancesSite(pe), state, find);

  function deliveriesTo(state: State, pe: number): readonly Step[] {
    const slots = draft.part(state, READ.pendingTo, STATE.ledger, pe);
    if (slots === 0) return NO_STEPS;
    const first = memo.steps(deliverySite(31 - Math.clz32(slots & -slots), pe), state, find);
    const others = slots & (slots - 1);
    if (others === 0) return first;
    deliveries.clear();
    deliveries.add(first);
    for (let slot = 0; others >> slot !== 0; slot += 1) {
      if (((others >> slot) & 1) === 0) continue;
      deliveries.add(memo.steps(deliverySite(slot, pe), state, find));
    }
    return deliveries.list();
  }

  function eagerSteps(state: State, except = 0): readonly Step[] {
    for (let pe = 0; pe < peCount; pe += 1) {
      if ((except & (1 << pe)) !== 0) continue;
      const eager = memo.steps(pe * sitesPerPe + 1, state, find);
      if (eager.length > 0) return eager;
    }
    const deliveries = draft.pendingDeliveries(state);
    for (let i = 0; i < deliveries.length; i += 2) {
      const slot = deliveries[i] as number;
      for (let pe = 0; pe < peCount; pe += 1) {
        if (((deliveries[i + 1] as number) & (1 << pe)) === 0) continue;
        const eager = eagerMemo.steps(pe * sitesPerPe + 2 + slot, state, findEagerDelivery);
        if (eager.length > 0) return eager;
      }
    }
    return NO_STEPS;
  }

  function transitionOf(state: State, step: Step): Transition {
    const { pe, index, event, choice, facts } = step;
    const next = state.slice();
    draft.apply(step, next);
    return { pe, index, event, choice, next, facts };
  }

  function instances(state: State, pe: number): void {
    draft.load(state);
    const { count } = draft.window(pe);
    for (let j = 0; j < count; j += 1) instance(state, pe, j);
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
    const list: Site[] = [];
    draft.load(state);
    for (let pe = 0; pe < peCount; pe += 1) {
      const { count } = draft.window(pe);
      for (let index = 0; index < count; index += 1) list.push({ pe, index, kind: 'instance' });
    }
    const deliveries = draft.pendingDeliveries(state);
    for (let i = 0; i < deliveries.length; i += 2) {
      for (let pe = 0; pe < peCount; pe += 1) {
        if (((deliveries[i + 1] as number) & (1 << pe)) === 0) continue;
        list.push({ pe, index: deliveries[i] as number, kind: 'deliver' });
      }
    }
    if (setup.dataCache === 'modelled') {
      for (const index of memory.dirtyCells(state[STATE.memory] as number)) {
        list.push({ pe: -1, index, kind: 'write-back' });
      }
    }
    if (managesAccessFlags) list.push({ pe: -1, index: -1, kind: 'update' });
    return list;
  }

  function at(state: State, site: Site): readonly Transition[] {
    const { pe, index } = site;
    switch (site.kind) {
      case 'instance':
        return memo
          .steps(pe * sitesPerPe, state, find)
          .filter((step) => step.index === index)
          .map((step) => transitionOf(state, step));
      case 'deliver':
        return materialise(state, memo.steps(pe * sitesPerPe + 2 + index, state, find));
      case 'write-back':
        return materialise(state, memo.steps(firstCell + index, state, find));
      case 'update':
        return materialise(state, memo.steps(firstCell - 1, state, find));
    }
  }

  function materialise(state: State, all: readonly Step[]): readonly Transition[] {
    return all.map((step) => transitionOf(state, step));
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
    steps,
    stepsOf,
    deliveriesTo,
    memorySteps,
    resting: createResting(draft, stepsOf).resting,
    eagerSteps,
    forgetSteps() {
      memo.forget();
      eagerMemo.forget();
      ahead.forget();
    },
    apply: draft.apply,
    lookAhead: ahead.remember,
    canonicalise: draft.canonicalise,
    twins: draft.twins,
    transitions: (state) => materialise(state, steps(state)),
    sites,
    at,
    eager: (state) => materialise(state, eagerSteps(state)),
    end,
    inspect: draft,
  };
}
