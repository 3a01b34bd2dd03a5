import type { Machine } from '../machine/machine.ts';
import type { Transition } from '../machine/transition.ts';
import type { SourceLocation } from '../program/source-location.ts';
import { labelOf, locationOf } from '../trace/label.ts';
import { operationOf } from '../trace/operation.ts';

/** The statements of the tree that a run went through and that did more than read, in order. */
export function sourcesOf(
  machine: Machine,
  trace: readonly Transition[],
  opened: ReadonlySet<string>,
): readonly SourceLocation[] {
  const found = new Map<string, SourceLocation>();
  let state = machine.initial;
  for (const step of trace) {
    const at = operationOf(machine, state, step, opened)?.at ?? null;
    if (at !== null && isInTree(at) && !labelOf(machine, state, step).what.startsWith('load')) {
      found.set(`${at.file}:${at.line}`, at);
    }
    state = step.next;
  }
  return [...found.values()];
}

/** Every place that the host went through in a run, callers included. */
export function allPlaces(
  machine: Machine,
  trace: readonly Transition[],
): readonly SourceLocation[] {
  const found = new Map<string, SourceLocation>();
  let state = machine.initial;
  for (const step of trace) {
    let at = locationOf(machine, state, step) ?? undefined;
    for (; at !== undefined; at = at.caller) {
      if (isInTree(at)) found.set(`${at.file}:${at.line}`, at);
    }
    state = step.next;
  }
  return [...found.values()];
}

/** Not a place of the guest, of an announcement, or of text that was appended to a unit. */
export function isInTree({ file, line }: SourceLocation): boolean {
  return line > 0 && file.includes('/') && !file.startsWith('<');
}
