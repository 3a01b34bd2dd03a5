import type { State } from '../machine/state.ts';
import type { Machine } from '../machine/machine.ts';
import type { Transition } from '../machine/transition.ts';
import { labelOf, labelText, type Label } from './label.ts';

/** A run as the machine took it. */
export interface Replayed {
  readonly kind: 'replayed';
  /** States before each step, and the last one. */
  readonly states: readonly State[];
  readonly steps: readonly Transition[];
}

/** A label that was not enabled where it stands. */
export interface ReplayMisfit {
  readonly kind: 'misfit';
  /** 1-based number of the step that does not fit. */
  readonly step: number;
  readonly wanted: Label;
  /** What could have happened there instead. */
  readonly enabled: readonly Label[];
}

/** Strict replay: every label must be enabled where it stands, and names exactly one transition. */
export function replay(machine: Machine, labels: readonly Label[]): Replayed | ReplayMisfit {
  const states: State[] = [machine.initial];
  const steps: Transition[] = [];
  let state = machine.initial;
  for (const [index, wanted] of labels.entries()) {
    const text = labelText(wanted);
    const enabled = machine.transitions(state);
    const step = enabled.find((t) => labelText(labelOf(machine, state, t)) === text);
    if (step === undefined) {
      const here = state;
      return {
        kind: 'misfit',
        step: index + 1,
        wanted,
        enabled: enabled.map((t) => labelOf(machine, here, t)),
      };
    }
    steps.push(step);
    state = step.next;
    states.push(state);
  }
  return { kind: 'replayed', states, steps };
}

/** The labels of a run from the initial state. */
export function labelsOf(machine: Machine, steps: readonly Transition[]): readonly Label[] {
  const labels: Label[] = [];
  let state = machine.initial;
  for (const step of steps) {
    labels.push(labelOf(machine, state, step));
    state = step.next;
  }
  return labels;
}
