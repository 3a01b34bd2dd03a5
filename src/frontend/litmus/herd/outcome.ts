import { evaluate } from '../../../program/expr.ts';
import { ones, signed } from '../assembly/alu.ts';
import { SP, ZR, type Register } from '../assembly/instruction.ts';
import { atomsOf, holdsFor, type FinalState, type Proposition } from '../litmus-test.ts';
import type { LitmusThread } from '../thread/litmus-thread.ts';
import type { RecordedFault } from '../thread/recorded-fault.ts';
import type { FaultAtom, FaultKind, HerdAtom, HerdTail } from './condition.ts';
import {
  compareFaults,
  compareFaultAtoms,
  matchesFault,
  showFault,
  type SeenFault,
} from './faults.ts';
import type { CellType } from './init.ts';
import type { Layout } from './layout.ts';
import { compareLocations, locationKey, type Location } from './location.ts';
import type { Names } from './names.ts';

/** What observing a final state needs to know about a test. */
export interface Observed {
  readonly tail: HerdTail;
  readonly threads: readonly LitmusThread[];
  readonly layout: Layout;
  readonly names: Names;
  typeOf(location: Location): CellType;
  /** Number of elements; null for variables that are no arrays. */
  elementsOf(name: string): number | null;
}

/** The observations of a test. */
export interface HerdObserver {
  observe(final: FinalState): string | null;
  holds(final: FinalState): boolean;
}

/**
 * Prints final states as herd7 does (archExtra_herd.ml, `do_dump_final_state`): the locations that
 * the condition or `locations` names, then the faults that they name, then those they name and that
 * did not happen.
 */
export function herdObserver(test: Observed): HerdObserver {
  const { tail, threads, layout, names } = test;
  const atoms = atomsOf(tail.proposition);
  const shown = unique([
    ...tail.locations,
    ...atoms.flatMap((atom) => (atom.kind === 'equal' ? [atom.location] : [])),
  ]);
  const named = [
    ...tail.faults,
    ...atoms.flatMap((atom) => (atom.kind === 'fault' ? [atom.fault] : [])),
  ]
    .sort(compareFaultAtoms)
    .filter(
      (atom, index, all) => index === 0 || compareFaultAtoms(atom, all[index - 1] ?? atom) !== 0,
    );

  function read(final: FinalState, location: Location): bigint {
    switch (location.kind) {
      case 'register': {
        const thread = threads[location.thread];
        if (thread === undefined) return 0n;
        const node = final.node(location.thread);
        const expr = thread.registerAt(node, location.register);
        return evaluate(expr, (seq) => final.resultOf(location.thread, seq)) ?? 0n;
      }
      case 'cell':
        return final.memory(layout.cellOf(location.name));
      case 'variable': {
        const type = test.typeOf(location);
        const isArray = test.elementsOf(location.name) !== null;
        if (!isArray) return final.memory(layout.physicalOf(location.name));
        const offset = BigInt((location.index ?? 0) * type.bytes);
        const address = layout.physicalOf(location.name) + offset;
        const word = final.memory(address & ~7n);
        return (word >> ((address & 7n) * 8n)) & ones(type.bytes * 8);
      }
    }
  }

  function show(value: bigint, type: CellType): string {
    const name = names.nameOf(value);
    if (name !== null) return name;
    const width = type.bytes * 8;
    const masked = value & ones(width);
    return (type.signed ? signed(masked, width) : masked).toString();
  }

  function showLocation(final: FinalState, location: Location): string {
    const type = test.typeOf(location);
    switch (location.kind) {
      case 'register':
        return `${location.thread}:${registerName(location.register)}=${show(read(final, location), type)};`;
      case 'cell':
        return `[PTE(${location.name})]=${show(read(final, location), type)};`;
      case 'variable': {
        const elements = test.elementsOf(location.name);
        if (location.index === null && elements !== null) {
          const values = Array.from({ length: elements }, (_, index) =>
            show(read(final, { ...location, index }), type),
          );
          return `${location.name}={${values.join(',')}};`;
        }
        const value = show(read(final, location), type);
        return location.index === null
          ? `[${location.name}]=${value};`
          : `${location.name}[${location.index}]=${value};`;
      }
    }
  }

  function faultsOf(final: FinalState): readonly SeenFault[] {
    return threads.flatMap((thread, index) =>
      thread.faultsAt(final.node(index)).map((fault) => seen(index, fault, names)),
    );
  }

  function atomHolds(final: FinalState, atom: HerdAtom): boolean {
    if (atom.kind === 'fault') {
      return faultsOf(final).some((fault) => matchesFault(fault, atom.fault));
    }
    const { location } = atom;
    if (atom.value.kind === 'array') {
      if (location.kind !== 'variable') return false;
      const { values } = atom.value;
      return (
        values.length === test.elementsOf(location.name) &&
        values.every((value, index) =>
          atomHolds(final, { ...atom, location: { ...location, index }, value }),
        )
      );
    }
    const actual = read(final, location);
    const expected = layout.valueOf(atom.value, atom.at);
    if (atom.value.kind !== 'number') return actual === expected;
    const mask = ones(test.typeOf(atom.location).bytes * 8);
    return names.nameOf(actual) === null && (actual & mask) === (expected & mask);
  }

  const check = (final: FinalState, proposition: Proposition<HerdAtom>): boolean =>
    holdsFor(proposition, (atom) => atomHolds(final, atom));

  return {
    holds: (final) => check(final, tail.proposition),
    observe(final) {
      if (tail.filter !== null && !check(final, tail.filter)) return null;
      const state = shown.map((location) => showLocation(final, location)).join(' ');
      if (named.length === 0) return state;
      const all = faultsOf(final);
      const happened = all
        .filter((fault) => named.some((atom) => matchesFault(fault, atom)))
        .sort(compareFaults)
        .map((fault) => `${showFault(fault, named)};`);
      const absent = named
        .filter((atom) => !all.some((fault) => matchesFault(fault, atom)))
        .reverse()
        .map((atom) => ` ~${showFaultAtom(atom)};`);
      return `${state} ${happened.join(' ')}${absent.join('')}`;
    },
  };
}

function registerName(register: Register): string {
  return register === ZR ? 'XZR' : register === SP ? 'SP' : `X${register}`;
}

function unique(locations: readonly Location[]): readonly Location[] {
  const byKey = new Map(locations.map((location) => [locationKey(location), location]));
  return [...byKey.values()].sort(compareLocations);
}

function showFaultAtom({ thread, label, at, type }: FaultAtom): string {
  return showFault({ thread, labels: label === null ? [] : [label], at, type }, []);
}

const KINDS: Readonly<Record<RecordedFault['kind'], FaultKind>> = {
  translation: 'Translation',
  'access-flag': 'AccessFlag',
  permission: 'Permission',
  'address-size': 'Translation',
  'supervisor-call': 'SupervisorCall',
  'undefined-instruction': 'UndefinedInstruction',
};

function seen(thread: number, fault: RecordedFault, names: Names): SeenFault {
  const kind = KINDS[fault.kind];
  const side = fault.address === null ? 'none' : 'D';
  return {
    thread,
    labels: [...fault.labels].sort(),
    at: fault.address === null ? null : names.addressed(fault.address),
    type: { side, kind },
  };
}
