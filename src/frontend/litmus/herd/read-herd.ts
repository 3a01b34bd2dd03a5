import { DEFAULT_FEATURES } from '../../../arm64/features.ts';
import { stage1Geometry } from '../../../arm64/geometry.ts';
import type { MachineSetup } from '../../../machine/setup.ts';
import { assemble, type Code, type CodeBlock } from '../assembly/code.ts';
import type { Register } from '../assembly/instruction.ts';
import { exprTable } from '../expr-table.ts';
import { atomsOf, type LitmusTest } from '../litmus-test.ts';
import { reject } from '../problem.ts';
import { litmusThread, type LitmusThread } from '../thread/litmus-thread.ts';
import { parseTail, type HerdTail } from './condition.ts';
import { attributeTable } from './entry-bits.ts';
import { herdSections, type HerdSections } from './herd-sections.ts';
import { herdProgram } from './herd-program.ts';
import { INT, parseInit, typeOf, type CellType, type InitItem } from './init.ts';
import { codeAddress, inCode, layout, TABLE_PAGE, type Layout } from './layout.ts';
import { locationKey, type Location } from './location.ts';
import { initialMemory } from './memory.ts';
import { names } from './names.ts';
import { herdSettings, type HerdOptions, type HerdSettings } from './options.ts';
import { herdObserver } from './outcome.ts';
import { tokenize } from './tokens.ts';
import type { Value } from './value.ts';
import { variablesOf } from './variables.ts';

/** Instances in flight per PE, where the machine allows it. */
const WINDOW = 31;

/** Reads a herd7 test. Gives up (see `attempt`) on what it cannot read or does not support. */
export function readHerd(file: string, text: string, options: HerdOptions): LitmusTest {
  const sections = herdSections(file, text);
  const settings = herdSettings(sections, options);
  const items = parseInit(tokenize(sections.source, sections.init));
  const tail = parseTail(tokenize(sections.source, sections.tail));
  const codes = assembleColumns(sections, codePointers(items));
  const types = typesOf(items);
  const start = sections.source.position(0);
  const placed = layout(
    variablesOf(items, tail, codes),
    settings.translated,
    (name) => types({ kind: 'variable', name, index: null }).bytes,
    codes,
    attributeTable(),
    start,
  );
  const threads = makeThreads(sections, codes, items, tail, placed, settings);
  checkTail(tail, placed, threads, sections);
  const memory = initialMemory(items, placed);
  const named = names(placed, codes);
  const observer = herdObserver({
    tail,
    threads,
    layout: placed,
    names: named,
    typeOf: types,
    elementsOf: (name) => {
      const item = items.find(({ location, array }) => array && locationKey(location) === name);
      return item === undefined ? null : item.values.length;
    },
  });
  return {
    name: sections.name,
    format: 'herd',
    file,
    setup: machineSetup(threads, memory, placed, settings),
    threads,
    quantifier: tail.quantifier,
    names: {
      address: (address) => named.located(address) ?? hex(address),
      value: (value) => named.nameOf(value) ?? (value < 1000n ? String(value) : hex(value)),
    },
    isCode: (address) => inCode(address),
    observe: (final) => observer.observe(final),
    holds: (final) => observer.holds(final),
  };
}

/** For each thread, the other threads whose code it has a pointer to: it may run that code too. */
function codePointers(items: readonly InitItem[]): ReadonlyMap<number, ReadonlySet<number>> {
  const pointers = new Map<number, Set<number>>();
  for (const { location, values } of items) {
    if (location.kind !== 'register') continue;
    for (const value of values) {
      if (value.kind !== 'label' || value.thread === location.thread) continue;
      const known = pointers.get(location.thread) ?? new Set();
      pointers.set(location.thread, known.add(value.thread));
    }
  }
  return pointers;
}

function assembleColumns(
  sections: HerdSections,
  pointers: ReturnType<typeof codePointers>,
): ReadonlyMap<number, Code> {
  const codes = new Map<number, Code>();
  for (const column of sections.columns) {
    if (column.handler) continue;
    const { thread } = column;
    if (codes.has(thread)) return reject('syntax', column.at, `P${thread} has two columns.`);
    const others = sections.columns.filter(
      (other) => !other.handler && pointers.get(thread)?.has(other.thread) === true,
    );
    codes.set(
      thread,
      assemble([
        blockOf(column),
        ...sections.columns
          .filter((other) => other.handler && other.thread === thread)
          .slice(0, 1)
          .map(blockOf),
        ...others.map(blockOf),
      ]),
    );
  }
  sections.columns.forEach((column) => {
    if (!codes.has(column.thread)) reject('syntax', column.at, 'this handler has no thread.');
  });
  for (let thread = 0; thread < codes.size; thread += 1) {
    if (!codes.has(thread)) {
      return reject(
        'unsupported',
        sections.source.position(0),
        'threads have gaps in their numbers.',
      );
    }
  }
  return codes;
}

function blockOf({ thread, handler, lines }: HerdSections['columns'][number]): CodeBlock {
  const name = handler ? `P${thread}.F` : `P${thread}`;
  return { name, owner: thread, address: codeAddress(thread, handler), lines };
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

function typesOf(items: readonly InitItem[]): (location: Location) => CellType {
  const types = new Map(items.map((item) => [locationKey(item.location), typeOf(item)]));
  return (location) => {
    const whole = location.kind === 'variable' ? { ...location, index: null } : location;
    return types.get(locationKey(whole)) ?? INT;
  };
}

function makeThreads(
  sections: HerdSections,
  codes: ReadonlyMap<number, Code>,
  items: readonly InitItem[],
  tail: HerdTail,
  placed: Layout,
  settings: HerdSettings,
): readonly LitmusThread[] {
  const table = exprTable();
  return [...codes.keys()]
    .sort((a, b) => a - b)
    .map((thread) => {
      const code = codes.get(thread);
      if (code === undefined) throw new Error(`no code for thread ${thread}`);
      const initial = new Map<Register, bigint>();
      for (const { at, location, values } of items) {
        const [value] = values;
        if (location.kind === 'register' && location.thread === thread && value !== undefined) {
          initial.set(location.register, placed.valueOf(value, at));
        }
      }
      const hasHandler = sections.columns.some(
        (column) => column.handler && column.thread === thread,
      );
      const program = herdProgram(thread, code, hasHandler, table, initial, placed, settings);
      return litmusThread(program, observedRegisters(tail, thread));
    });
}

/** The registers of a thread that the test shows or asks for at its end. */
function observedRegisters(tail: HerdTail, thread: number): ReadonlySet<Register> {
  const atoms = [tail.proposition, ...(tail.filter === null ? [] : [tail.filter])].flatMap(
    (proposition) => atomsOf(proposition),
  );
  const locations = [
    ...tail.locations,
    ...atoms.flatMap((atom) => (atom.kind === 'equal' ? [atom.location] : [])),
  ];
  return new Set(
    locations.flatMap((location) =>
      location.kind === 'register' && location.thread === thread ? [location.register] : [],
    ),
  );
}

/** Every register location of the condition belongs to a thread, every label exists. */
function checkTail(
  tail: HerdTail,
  placed: Layout,
  threads: readonly LitmusThread[],
  sections: HerdSections,
): void {
  const at = sections.source.position(sections.tail.offset);
  const check = (location: Location): void => {
    if (location.kind === 'register' && threads[location.thread] === undefined) {
      reject('syntax', at, `the condition names P${location.thread}, which is not there.`);
    }
  };
  tail.locations.forEach(check);
  const visit = (proposition: HerdTail['proposition']): void => {
    switch (proposition.kind) {
      case 'atom':
        if (proposition.atom.kind !== 'equal') return;
        check(proposition.atom.location);
        for (const value of elementsOf(proposition.atom.value)) {
          placed.valueOf(value, proposition.atom.at);
        }
        return;
      case 'not':
        return visit(proposition.of);
      case 'and':
      case 'or':
        proposition.of.forEach(visit);
    }
  };
  visit(tail.proposition);
  if (tail.filter !== null) visit(tail.filter);
}

function elementsOf(value: Value): readonly Value[] {
  return value.kind === 'array' ? value.values : [value];
}

function machineSetup(
  threads: readonly LitmusThread[],
  memory: MachineSetup['memory'],
  placed: Layout,
  settings: HerdSettings,
): MachineSetup {
  // A variable nobody points at matters only to hardware updates and to break-before-make, and herd7
  // speaks of both for every variable.
  const watched = placed.variables.map((name) => placed.virtualOf(name));
  // Cells are virtual places only for threads at EL0, and for pointers that come out of memory.
  const watchTable = settings.user.size > 0 || memory.some(({ value }) => isCell(value));
  return {
    threads: threads.map((tree, thread) => ({
      tree,
      context: {
        el: settings.user.has(thread) ? 0 : 1,
        vmid: 0,
        asid: 0,
        stage1: placed.translated
          ? { root: TABLE_PAGE, hardwareUpdate: settings.hardwareUpdate(thread) }
          : null,
        stage2: null,
      },
    })),
    translation: {
      features: { ...DEFAULT_FEATURES, ets: settings.ets },
      stage1: stage1Geometry('4k', 21),
      stage2: null,
      mair: placed.attributes.mair(),
    },
    memory,
    pages: [
      ...(placed.translated
        ? [{ base: TABLE_PAGE, use: 'table' as const, vmid: null, name: 'page table' }]
        : []),
      ...placed.variables.map((name) => ({
        base: placed.physicalOf(name),
        use: 'host' as const,
        vmid: null,
        name,
      })),
    ],
    locks: [],
    watchedVas: placed.translated ? [...watched, ...(watchTable ? [TABLE_PAGE] : [])] : [],
    dataCache: 'coherent',
    bounds: { window: WINDOW },
  };
}

function isCell(value: bigint): boolean {
  return value >= TABLE_PAGE && value < TABLE_PAGE + 0x1000n;
}
