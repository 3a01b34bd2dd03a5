import type { Code } from '../assembly/code.ts';
import { atomsOf } from '../litmus-test.ts';
import type { HerdTail } from './condition.ts';
import type { InitItem } from './init.ts';
import type { Location } from './location.ts';
import type { Value } from './value.ts';

/** The names of all variables of a test, in the order in which they first appear. */
export function variablesOf(
  items: readonly InitItem[],
  tail: HerdTail,
  codes: ReadonlyMap<number, Code>,
): readonly string[] {
  const found = new Set<string>();
  const location = (place: Location): void => {
    if (place.kind !== 'register') found.add(place.name);
  };
  const value = (given: Value): void => {
    switch (given.kind) {
      case 'variable':
      case 'physical':
      case 'cell':
        found.add(given.name);
        return;
      case 'entry':
        if (given.entry.output !== null) found.add(given.entry.output.name);
        return;
      case 'par':
        if (given.output !== null) found.add(given.output.name);
        return;
      case 'array':
        given.values.forEach(value);
        return;
      case 'number':
      case 'label':
        return;
    }
  };
  for (const item of items) {
    location(item.location);
    item.values.forEach(value);
  }
  tail.locations.forEach(location);
  const atoms = [
    ...atomsOf(tail.proposition),
    ...(tail.filter === null ? [] : atomsOf(tail.filter)),
  ];
  for (const atom of atoms) {
    if (atom.kind === 'fault') continue;
    location(atom.location);
    value(atom.value);
  }
  for (const fault of [
    ...tail.faults,
    ...atoms.flatMap((atom) => (atom.kind === 'fault' ? [atom.fault] : [])),
  ]) {
    if (fault.at !== null) found.add(fault.at.name);
  }
  for (const code of codes.values()) {
    for (const { instruction } of code.slots) {
      if (instruction.kind === 'address-of' && !code.labels.has(instruction.symbol)) {
        found.add(instruction.symbol);
      }
    }
  }
  return [...found];
}
