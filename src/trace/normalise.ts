import type { Machine } from '../machine/machine.ts';
import type { Transition } from '../machine/transition.ts';
import { footprintOf } from './dependence.ts';
import { agentOf } from './cost.ts';
import type { Label } from './label.ts';

/**
 * A shorter and calmer form of the same run, without running it again: first the causal slice, the
 * steps that happen before the last one; then the order of them with few changes of agent, by going
 * on with an agent as long as nothing it depends on is missing (after dejafu's SCT/Internal.hs, which
 * pulls back and pushes forward; here one topological sort does both).
 *
 * Both use the dependence of `dependence.ts`. A caller replays the result all the same.
 */
export function normalise(
  machine: Machine,
  steps: readonly Transition[],
  labels: readonly Label[],
): readonly Label[] {
  const before = predecessors(machine, steps);
  const kept = causalSlice(before);
  return calmOrder(kept, before, labels).map((i) => labels[i] as Label);
}

/** For each step earlier steps it depends on: enough of them, the others follow from these. */
function predecessors(
  machine: Machine,
  steps: readonly Transition[],
): readonly (readonly number[])[] {
  let state = machine.initial;
  const footprints = steps.map((t) => {
    const footprint = footprintOf(machine, state, t);
    state = t.next;
    return footprint;
  });
  // The last step that changed a resource, and those that read it since, are enough: the rest follows.
  const changed = new Map<string, number>();
  const readSince = new Map<string, number[]>();
  return footprints.map(({ reads, writes }, i) => {
    const before = new Set<number>();
    for (const resource of [...reads, ...writes]) {
      const last = changed.get(resource);
      if (last !== undefined && last !== i) before.add(last);
    }
    for (const resource of writes) {
      for (const reader of readSince.get(resource) ?? []) before.add(reader);
      changed.set(resource, i);
      readSince.delete(resource);
    }
    for (const resource of reads) {
      const readers = readSince.get(resource);
      if (readers === undefined) readSince.set(resource, [i]);
      else readers.push(i);
    }
    before.delete(i);
    return [...before];
  });
}

/** Indices of the steps that are before the last one in the order of dependence, and itself. */
function causalSlice(before: readonly (readonly number[])[]): readonly number[] {
  const needed = new Set<number>([before.length - 1]);
  for (let i = before.length - 1; i >= 0; i -= 1) {
    if (needed.has(i)) for (const k of before[i] ?? []) needed.add(k);
  }
  return before.flatMap((_, i) => (needed.has(i) ? [i] : []));
}

/** A linear extension of the dependence on the kept steps that stays with an agent while it can. */
function calmOrder(
  kept: readonly number[],
  before: readonly (readonly number[])[],
  labels: readonly Label[],
): readonly number[] {
  const left = new Set(kept);
  const order: number[] = [];
  let current = '';
  const ready = (i: number): boolean => (before[i] ?? []).every((k) => !left.has(k));
  while (left.size > 0) {
    let next: number | null = null;
    for (const i of left) {
      if (!ready(i)) continue;
      if (next === null) next = i;
      if (agentOf(labels[i] as Label) === current) {
        next = i;
        break;
      }
    }
    if (next === null) throw new Error('dependence has a cycle');
    left.delete(next);
    order.push(next);
    current = agentOf(labels[next] as Label);
  }
  return order;
}
