import type { FaultAtom, FaultKind, FaultType } from './condition.ts';

/** A fault of an execution, in the words of herd7. */
export interface SeenFault {
  readonly thread: number;
  /** Labels of the instruction, in alphabetical order. */
  readonly labels: readonly string[];
  readonly at: FaultAtom['at'];
  readonly type: FaultType | null;
}

/** Whether the fault is one that the atom speaks of (fault.ml, `check_one_fatom`). */
export function matchesFault(fault: SeenFault, atom: FaultAtom): boolean {
  return (
    fault.thread === atom.thread &&
    (atom.label === null || fault.labels.includes(atom.label)) &&
    (atom.type === null || (fault.type !== null && matchesType(fault.type, atom.type))) &&
    (atom.at === null ||
      (fault.at !== null && fault.at.kind === atom.at.kind && fault.at.name === atom.at.name))
  );
}

function matchesType(actual: FaultType, expected: FaultType): boolean {
  if (actual.kind !== expected.kind) return false;
  return expected.side === 'any' || actual.side === expected.side;
}

/**
 * A fault as herd7 prints it. Where the condition says `MMU:...` without a side, so does the fault.
 */
export function showFault(fault: SeenFault, named: readonly FaultAtom[]): string {
  const { labels, at } = fault;
  const where =
    labels.length === 0
      ? ''
      : labels.length === 1
        ? `:${labels[0] ?? ''}`
        : `:{${labels.join(',')}}`;
  const place = at === null ? '' : at.kind === 'cell' ? `,PTE(${at.name})` : `,${at.name}`;
  const asNamed = named.find((atom) => atom.type !== null && matchesFault(fault, atom));
  const type = asNamed?.type ?? fault.type;
  return `Fault(P${fault.thread}${where}${place}${type === null ? '' : `,${showType(type)}`})`;
}

function showType({ side, kind }: FaultType): string {
  switch (side) {
    case 'none':
      return kind;
    case 'any':
      return `MMU:${kind}`;
    case 'D':
    case 'I':
      return `${side}-MMU:${kind}`;
  }
}

/** Order of printing: thread, labels, place, type (OCaml's structural order of herd7's types). */
export function compareFaults(a: SeenFault, b: SeenFault): number {
  return (
    a.thread - b.thread ||
    compareLists(a.labels, b.labels) ||
    comparePlaces(a.at, b.at) ||
    compareTypes(a.type, b.type)
  );
}

/** Order of fault atoms. */
export function compareFaultAtoms(a: FaultAtom, b: FaultAtom): number {
  return (
    a.thread - b.thread ||
    compareLists(a.label === null ? [] : [a.label], b.label === null ? [] : [b.label]) ||
    comparePlaces(a.at, b.at) ||
    compareTypes(a.type, b.type)
  );
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareLists(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const order = compareTexts(a[i] ?? '', b[i] ?? '');
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function comparePlaces(a: FaultAtom['at'], b: FaultAtom['at']): number {
  if (a === null || b === null) return (a === null ? 0 : 1) - (b === null ? 0 : 1);
  if (a.kind !== b.kind) return a.kind === 'variable' ? -1 : 1;
  return compareTexts(a.name, b.name);
}

const TYPE_ORDER: readonly FaultKind[] = [
  'TagCheck',
  'UndefinedInstruction',
  'SupervisorCall',
  'Translation',
  'AccessFlag',
  'Permission',
];
const SIDE_ORDER = ['none', 'I', 'D', 'any'] as const;

function compareTypes(a: FaultType | null, b: FaultType | null): number {
  if (a === null || b === null) return (a === null ? 0 : 1) - (b === null ? 0 : 1);
  const side = SIDE_ORDER.indexOf(a.side) - SIDE_ORDER.indexOf(b.side);
  return side || TYPE_ORDER.indexOf(a.kind) - TYPE_ORDER.indexOf(b.kind);
}
