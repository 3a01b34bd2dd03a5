import { DEFAULT_FEATURES } from '../../../arm64/features.ts';
import { stage1Geometry, stage2Geometry } from '../../../arm64/geometry.ts';
import type { MachineSetup } from '../../../machine/setup.ts';
import type { Context } from '../../../program/effect.ts';
import { evaluate } from '../../../program/expr.ts';
import { assemble, type Code, type CodeBlock } from '../assembly/code.ts';
import { ones } from '../assembly/alu.ts';
import { exprTable } from '../expr-table.ts';
import {
  atomsOf,
  holdsFor,
  type FinalState,
  type LitmusTest,
  type Proposition,
  type TestNames,
} from '../litmus-test.ts';
import { reject, type Position } from '../problem.ts';
import { litmusThread, type LitmusThread } from '../thread/litmus-thread.ts';
import { surveyThread } from '../thread/survey.ts';
import { parseAssertion, type IslaAtom } from './assertion.ts';
import { hostAsGuest } from './host-as-guest.ts';
import { codeLines } from './code-lines.ts';
import { registerValue } from './functions.ts';
import { islaThread, type IslaThread } from './isla-thread.ts';
import { parseSetup } from './setup-language.ts';
import { translateStatically } from './static-walk.ts';
import { buildTables, CODE_BASE, type IslaTables, type SetupValue } from './table-setup.ts';
import { parseToml, type TomlTable, type TomlValue } from './toml.ts';

/** How an isla test is to be read. */
export interface IslaOptions {
  readonly ets: 'none' | 'ets2' | 'ets3';
}

const WINDOW = 31;
/** isla's configuration: both stages take 48 bits and walk from level 0. */
const INPUT_BITS = 48;
const PAGE = 0x1000n;

/** Reads an isla `.litmus.toml` test. Gives up (see `attempt`) on what it cannot read. */
export function readIsla(file: string, text: string, options: IslaOptions): LitmusTest {
  const document = parseToml(file, text);
  const arch = stringAt(document, 'arch');
  if (arch.text !== 'AArch64') {
    return reject('unsupported', arch.at, 'only AArch64 tests are supported.');
  }
  const threadTables = numberedTables(tableAt(document, 'thread'));
  const setupText = document.entries.get('page_table_setup');
  if (setupText?.kind !== 'string') {
    return reject(
      'unsupported',
      document.at,
      'tests without `page_table_setup` are not supported.',
    );
  }
  const symbolic = document.entries.get('symbolic') ?? document.entries.get('addresses');
  const tables = buildTables(
    symbolic?.kind === 'array' ? symbolic.items.map((item) => expectString(item).text) : [],
    parseSetup(setupText.source),
    threadTables.length,
    setupText.at,
  );
  const sections = sectionBlocks(document);
  const codes = threadTables.map((table, index) => threadCode(table, index, sections));
  const exprs = exprTable();
  const collapsed = isHostOnly(threadTables, codes, tables);
  const made = threadTables.map((table, index) => {
    const own = codes[index];
    if (own === undefined) throw new Error(`no code for thread ${index}`);
    const code = collapsed ? hostAsGuest(own) : own;
    return islaThread(`T${index}`, table, code, tables, collapsed, exprs);
  });
  const proposition = parseAssertion(stringAt(tableAt(document, 'final'), 'assertion').source);
  const atoms = atomsOf(proposition);
  const threads = made.map(({ program }, thread) =>
    litmusThread(
      program,
      new Set(
        atoms.flatMap((atom) =>
          atom.kind === 'register' && atom.thread === thread ? [atom.register] : [],
        ),
      ),
    ),
  );
  const holds = assertionChecker(proposition, threads, tables, codes, document);
  return {
    name: stringAt(document, 'name').text,
    format: 'isla',
    file,
    setup: machineSetup(threads, made, tables, options),
    threads,
    quantifier: 'exists',
    names: testNames(tables),
    isCode: (address) => codes.some((code) => code.slotAt(address) !== undefined),
    observe: (state) => (holds(state) ? 'true' : 'false'),
    holds,
  };
}

function testNames(tables: IslaTables): TestNames {
  const hex = (value: bigint): string => `0x${value.toString(16)}`;
  const byPage = new Map([...tables.addresses].map(([name, { address }]) => [address, name]));
  return {
    address(address) {
      const name = byPage.get(address & ~(PAGE - 1n));
      const offset = address & (PAGE - 1n);
      if (name === undefined) return hex(address);
      return offset === 0n ? name : `${name}+${offset}`;
    },
    value: (value) => (value < 1000n ? String(value) : hex(value)),
  };
}

function tableAt(parent: TomlTable, key: string): TomlTable {
  const value = parent.entries.get(key);
  return value?.kind === 'table'
    ? value
    : reject('syntax', parent.at, `there is no table \`${key}\`.`);
}

function stringAt(parent: TomlTable, key: string): Extract<TomlValue, { kind: 'string' }> {
  const value = parent.entries.get(key);
  if (value === undefined) return reject('syntax', parent.at, `there is no \`${key}\`.`);
  return expectString(value);
}

function expectString(value: TomlValue): Extract<TomlValue, { kind: 'string' }> {
  return value.kind === 'string' ? value : reject('syntax', value.at, 'expected a string.');
}

function numberedTables(parent: TomlTable): readonly TomlTable[] {
  const tables: TomlTable[] = [];
  for (let index = 0; index < parent.entries.size; index += 1) {
    tables.push(tableAt(parent, String(index)));
  }
  if (tables.length === 0) return reject('syntax', parent.at, 'there are no threads.');
  return tables;
}

/** Sections are code at fixed addresses that every thread can run: exception vectors. */
function sectionBlocks(document: TomlTable): readonly CodeBlock[] {
  const section = document.entries.get('section');
  if (section?.kind !== 'table') return [];
  return [...section.entries].map(([name, value]) => {
    if (value.kind !== 'table') return reject('syntax', value.at, 'expected a table.');
    const address = stringAt(value, 'address');
    if (!/^0x[0-9a-fA-F]+$/.test(address.text)) {
      return reject('syntax', address.at, 'an address is a hexadecimal number.');
    }
    const lines = codeLines(stringAt(value, 'code').source);
    return { name, owner: 0, address: BigInt(address.text), lines };
  });
}

function threadCode(table: TomlTable, index: number, sections: readonly CodeBlock[]): Code {
  const main: CodeBlock = {
    name: `T${index}`,
    owner: 0,
    address: CODE_BASE + BigInt(index) * PAGE,
    lines: codeLines(stringAt(table, 'code').source),
  };
  return assemble([main, ...sections]);
}

/**
 * Whether no thread ever leaves EL2 and only stage-1 tables change: then the EL2 regime is the one
 * under test.
 */
function isHostOnly(
  threads: readonly TomlTable[],
  codes: readonly Code[],
  tables: IslaTables,
): boolean {
  const stays = threads.every((table, index) => {
    const reset = table.entries.get('reset');
    const el = reset?.kind === 'table' ? reset.entries.get('PSTATE.EL') : undefined;
    const slots = codes[index]?.slots ?? [];
    const returns = slots.some(
      (slot) => slot.block === 0 && slot.instruction.kind === 'exception-return',
    );
    return el?.kind === 'string' && el.text === '0b10' && !returns;
  });
  const inStage2 = (cell: bigint): boolean =>
    tables.sets.some(
      (set) => set.stage === 2 && cell >= set.base && cell < set.base + BigInt(set.pages()) * PAGE,
    );
  return stays && ![...tables.changing].some(inStage2);
}

function assertionChecker(
  proposition: Proposition<IslaAtom>,
  threads: readonly LitmusThread[],
  tables: IslaTables,
  codes: readonly Code[],
  document: TomlTable,
): (state: FinalState) => boolean {
  const types = document.entries.get('types');
  const labels = (label: string): bigint | undefined => {
    for (const code of codes) {
      const slot = code.slots[code.labels.get(label) ?? -1];
      if (slot !== undefined) return slot.address;
    }
    return undefined;
  };
  const checks = new Map<IslaAtom, (state: FinalState) => boolean>();
  for (const atom of atomsOf(proposition)) {
    const expected = registerValue(atom.value, tables, labels);
    if (atom.kind === 'register') {
      const thread = threads[atom.thread];
      if (thread === undefined)
        return reject('syntax', atom.at, `there is no thread ${atom.thread}.`);
      checks.set(atom, (state) => {
        const expr = thread.registerAt(state.node(atom.thread), atom.register);
        return evaluate(expr, (seq) => state.resultOf(atom.thread, seq)) === expected;
      });
      continue;
    }
    const named = tables.addresses.get(atom.name);
    if (named === undefined) {
      return reject('syntax', atom.at, `there is no address \`${atom.name}\`.`);
    }
    const kinds = { virtual: 'va', intermediate: 'ipa', physical: 'pa' } as const;
    const address = initialPhysical(
      { kind: kinds[named.space], value: named.address },
      tables,
      atom.at,
    );
    const type = types?.kind === 'table' ? types.entries.get(atom.name) : undefined;
    // isla compares 4 bytes unless `types` says more.
    const bits = type?.kind === 'string' && type.text.includes('64') ? 64 : 32;
    checks.set(
      atom,
      (state) => (state.memory(address & ~7n) & ones(bits)) === (expected & ones(bits)),
    );
  }
  return (state) => holdsFor(proposition, (atom) => checks.get(atom)?.(state) ?? false);
}

/** Where an address lies by the default tables as they are at the start. */
function initialPhysical(value: SetupValue, tables: IslaTables, at: Position): bigint {
  if (value.kind === 'pa') return value.value;
  if (value.kind !== 'va' && value.kind !== 'ipa') {
    return reject('syntax', at, 'only addresses hold values.');
  }
  const stage1 = tables.tableBases.get('page_table_base') ?? null;
  const stage2 = tables.tableBases.get('s2_page_table_base') ?? null;
  // Permissions do not matter here, so a read-only page is looked up without them.
  const roots = { stage1: value.kind === 'va' ? stage1 : null, stage2 };
  const found = translateStatically(tables.memory, new Set(), roots, value.value, 'any');
  if (found.kind === 'fixed') return found.address;
  return reject('unsupported', at, 'this address is not mapped at the start.');
}

/**
 * Whether a thread switches to other tables under the same VMID, or the same VMID and ASID. In the
 * reference every walk starts from the registers in force at the access, so what was cached from the
 * tables of before is never used; here it would match. Nothing of them is cached while the PE is at
 * EL2 then (R_FXGNQ taken strictly).
 */
function reusesTags(contexts: readonly Context[]): boolean {
  return contexts.some((one) =>
    contexts.some((other) => {
      if (one.vmid !== other.vmid) return false;
      if (one.stage2?.root !== other.stage2?.root) return true;
      return one.asid === other.asid && one.stage1?.root !== other.stage1?.root;
    }),
  );
}

function machineSetup(
  threads: readonly LitmusThread[],
  made: readonly IslaThread[],
  tables: IslaTables,
  options: IslaOptions,
): MachineSetup {
  for (const { address, value, at } of tables.initial) {
    tables.memory.write(initialPhysical(address, tables, at), value);
  }
  const watchedVas = new Set<bigint>();
  const perThread = threads.map((tree, index) => {
    const thread = made[index];
    if (thread === undefined) throw new Error(`no context for thread ${index}`);
    const { context, isWatched } = thread.regime;
    const { contexts, pages } = surveyThread(tree, context, 'with faults');
    for (const page of pages) if (isWatched(page)) watchedVas.add(page);
    return { tree, context, previousContexts: contexts };
  });
  return {
    threads: perThread,
    translation: {
      features: {
        ...DEFAULT_FEATURES,
        ipaBits: INPUT_BITS,
        vaBits: INPUT_BITS,
        ets: options.ets,
        readingFillOutOfContext: !perThread.some(({ context, previousContexts }) =>
          reusesTags([context, ...previousContexts]),
        ),
      },
      stage1: stage1Geometry('4k', INPUT_BITS),
      stage2: tables.hasStage2 ? stage2Geometry('4k', INPUT_BITS, 0) : null,
      mair: ones(64),
    },
    memory: [...tables.memory.words()].map(([address, value]) => ({ address, value })),
    pages: [
      ...tables.sets.flatMap((set) =>
        Array.from({ length: set.pages() }, (_, index) => ({
          base: set.base + BigInt(index) * PAGE,
          use: 'table' as const,
          vmid: null,
          name: `${set.name}+${index}`,
        })),
      ),
      ...[...tables.addresses].flatMap(([name, { space, address }]) =>
        space === 'physical' ? [{ base: address, use: 'host' as const, vmid: null, name }] : [],
      ),
    ],
    locks: [],
    watchedVas: [...watchedVas],
    dataCache: 'coherent',
    bounds: { window: WINDOW },
  };
}
