import type { State } from '../machine/state.ts';
import type { Machine } from '../machine/machine.ts';
import type { Site, Transition } from '../machine/transition.ts';
import type { Fact } from '../machine/facts.ts';
import { labelOf, type Label } from './label.ts';

/**
 * Lenient replay, for the shrinker: a label that nothing enabled answers to is skipped, the run stops
 * at the first violation, and when the labels are used up it is finished by a fixed policy. So any
 * list of labels is a run, and one that has lost a few labels is likely to be the run that was meant.
 * Strict replay, where a label that does not fit is an error, is what `tlbgate replay` does.
 */
export interface LenientOptions<V> {
  /** The PEs from 0 on that run host code. */
  readonly hosts: number;
  /** What stops the run: a violation shown by the facts of a step, or null. */
  readonly violation: (facts: readonly Fact[]) => V | null;
  /**
   * A violation shown by where the run has got, once the labels are used up, and again once nothing
   * can happen any more.
   */
  readonly endViolation?: (state: State, steps: readonly Transition[]) => V | null;
  /** Most steps added after the last label; 0 for none. */
  readonly finish?: number;
  /**
   * When a label of the host does not fit, the host may first take this many steps that no label
   * asks for, to see whether it fits then: for labels from a scenario with a shorter host program.
   */
  readonly catchUp?: number;
}

/** A run and how it came to be. */
export interface Executed<V> {
  readonly steps: readonly Transition[];
  /** Labels of the steps taken, those of the finish included. */
  readonly labels: readonly Label[];
  readonly violation: V | null;
  /** Labels that were skipped. */
  readonly skipped: number;
}

/** Enough for the host to come to its end from anywhere in the operations we have. */
const DEFAULT_FINISH = 600;
/** Steps of vCPUs in the finish, all together: a guest may repeat for ever. */
const GUEST_FINISH = 16;

/**
 * The transition of a state with this label, or null; the oldest instance where several fit. Where no
 * translation was built from just the same descriptors, one that comes to the same address and is as
 * stale will do: the descriptors change when the scenario does.
 */
export function transitionOf(machine: Machine, state: State, label: Label): Transition | null {
  let alike: Transition | null = null;
  for (const site of machine.sites(state)) {
    if (!mayFit(site, label)) continue;
    for (const t of machine.at(state, site)) {
      const other = labelOf(machine, state, t);
      if (sameLabel(other, label)) return t;
      if (
        alike === null &&
        label.event === 'translate' &&
        sameLabel(coarse(other), coarse(label))
      ) {
        alike = t;
      }
    }
  }
  return alike;
}

function coarse(label: Label): Label {
  return { ...label, choice: label.choice.replace(/ \(.*$/, '') };
}

function mayFit(site: Site, label: Label): boolean {
  if (site.pe < 0) return label.agent === 'memory';
  if (label.agent !== `cpu${site.pe}`) return false;
  return (site.kind === 'deliver') === (label.event === 'deliver');
}

/** Whether two labels name the same step. */
export function sameLabel(a: Label, b: Label): boolean {
  return (
    a.event === b.event &&
    a.what === b.what &&
    a.where === b.where &&
    a.choice === b.choice &&
    a.agent === b.agent
  );
}

/** Runs the labels, leniently. */
export function replayLenient<V>(
  machine: Machine,
  labels: readonly Label[],
  options: LenientOptions<V>,
): Executed<V> {
  const steps: Transition[] = [];
  const executed: Label[] = [];
  let state = machine.initial;
  let skipped = 0;
  let violation = options.violation(machine.initialFacts);

  function take(t: Transition, label: Label): void {
    steps.push(t);
    executed.push(label);
    state = t.next;
    if (t.facts.length > 0) violation = options.violation(t.facts);
  }

  /** Lets the host of a label run until the label fits; false, and nothing done, when it does not. */
  function catchUpTo(label: Label): boolean {
    const pe = Number(/^cpu(\d+)$/.exec(label.agent)?.[1] ?? -1);
    if (options.catchUp === undefined || pe < 0 || pe >= options.hosts) return false;
    if (label.event === 'deliver') return false;
    const back = { state, length: steps.length };
    for (let left = options.catchUp; left > 0; left -= 1) {
      const ahead = stay(machine, state, pe, options.hosts, false);
      if (ahead === null || options.violation(ahead.facts) !== null) break;
      take(ahead, labelOf(machine, state, ahead));
      const t = transitionOf(machine, state, label);
      if (t !== null) {
        take(t, labelOf(machine, state, t));
        return true;
      }
    }
    state = back.state;
    steps.length = back.length;
    executed.length = back.length;
    return false;
  }

  for (const label of labels) {
    if (violation !== null) break;
    const t = transitionOf(machine, state, label);
    // What was taken may be alike and not the same: the run is told by its own labels.
    if (t !== null) take(t, labelOf(machine, state, t));
    else if (!catchUpTo(label)) skipped += 1;
  }
  violation ??= options.endViolation?.(state, steps) ?? null;
  let guestSteps = GUEST_FINISH;
  let current = steps.at(-1)?.pe ?? 0;
  for (let left = options.finish ?? DEFAULT_FINISH; left > 0 && violation === null; left -= 1) {
    const t = stay(machine, state, current, options.hosts, guestSteps > 0);
    if (t === null) {
      if (machine.transitions(state).length === 0)
        violation = options.endViolation?.(state, steps) ?? null;
      break;
    }
    if (t.pe >= options.hosts && !isDelivery(machine, state, t)) guestSteps -= 1;
    else if (t.pe >= 0 && t.pe < options.hosts) current = t.pe;
    take(t, labelOf(machine, state, t));
  }
  return { steps, labels: executed, violation, skipped };
}

function isDelivery(machine: Machine, state: State, t: Transition): boolean {
  return labelOf(machine, state, t).event === 'deliver';
}

/**
 * The policy of the finish: the host that acted last goes on, then the other hosts, then deliveries,
 * then vCPUs in order of their PEs; always the oldest instance and its first choice. Nothing is
 * written back.
 */
function stay(
  machine: Machine,
  state: State,
  current: number,
  hosts: number,
  guestsToo: boolean,
): Transition | null {
  const rank = (site: Site): number => {
    if (site.pe < 0) return -1;
    if (site.kind === 'deliver') return hosts + 1;
    if (site.pe < hosts) return site.pe === current ? 0 : 1 + site.pe;
    return guestsToo ? hosts + 2 + site.pe : -1;
  };
  const order = machine.sites(state).filter((site) => rank(site) >= 0);
  order.sort((a, b) => rank(a) - rank(b));
  for (const site of order) {
    const step = machine.at(state, site)[0];
    if (step !== undefined) return step;
  }
  return null;
}
