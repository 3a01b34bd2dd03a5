import type { Features } from '../arm64/features.ts';
import type { Answer } from '../program/effect.ts';
import { createDraft, type Draft } from './draft.ts';
import type { State, Step } from './state.ts';
import type { ThreadEffects } from './effect-info.ts';
import { NO_FACTS, type Fact } from './facts.ts';
import type { MachineFault } from './fault.ts';
import type { MachineSetup } from './setup.ts';
import { createTlbWatch, type TlbWatch } from './tlb-watch.ts';
import { AT, get, HEAD_WAITS, type Window } from './window.ts';

/**
 * What all kinds of events share: the draft of the state in work, and the steps and facts that
 * are being collected. An event is: `begin` from a state, change the draft, `emit`.
 */
export interface StepContext {
  readonly setup: MachineSetup;
  readonly draft: Draft;
  readonly features: Features;
  readonly peCount: number;
  readonly watch: TlbWatch;
  /** Simplifications switched on to see that tests notice them; absent in use. */
  readonly broken: ReadonlySet<MachineFault> | undefined;
  /** Steps found so far. */
  readonly out: Step[];
  /** Starts an event from a state. */
  begin(state: State): void;
  /** Facts of the event in work. */
  facts(): Fact[];
  note(fact: Fact): void;
  /** Ends an event: settles the draft and records the step, if the run exists. */
  emit(pe: number, index: number, event: number, choice: number): void;
  /** The thread goes on with an answer, where it was waiting for one. */
  answer(pe: number, w: Window, index: number, with_: Answer): void;
}

/** The step context of a machine. */
export function createStepContext(setup: MachineSetup): StepContext {
  const draft = createDraft(setup);
  const { threads } = draft;
  const out: Step[] = [];
  let facts: Fact[] = [];

  return {
    setup,
    draft,
    features: setup.translation.features,
    peCount: threads.length,
    watch: createTlbWatch(draft, setup),
    broken: setup.faults,
    out,
    begin(state) {
      draft.load(state);
      facts = [];
    },
    facts: () => facts,
    note(fact) {
      facts.push(fact);
    },
    emit(pe, index, event, choice) {
      if (!draft.settle()) return;
      out.push({
        pe,
        index,
        event,
        choice,
        facts: facts.length === 0 ? NO_FACTS : facts,
        ...draft.changes(),
      });
    },
    answer(pe, w, index, with_) {
      if (w.head !== HEAD_WAITS || index !== w.count - 1) return;
      w.head = (threads[pe] as ThreadEffects).next(get(w, index, AT.node), with_);
      w.dirty = true;
    },
  };
}
