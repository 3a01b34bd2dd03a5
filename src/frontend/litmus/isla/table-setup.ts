import { reject, type Position } from '../problem.ts';
import { chooseAddresses, type NamedAddress } from './addresses.ts';
import { attributeBits } from './attributes.ts';
import type { Expression } from './expression.ts';
import { DEFAULT, type Statement, type StageAttributes } from './setup-language.ts';
import { tableMemory, type TableMemory, type TableSet, type Walk } from './table-memory.ts';

/** Page tables and names of an isla test. */
export interface IslaTables {
  readonly memory: TableMemory;
  readonly sets: readonly TableSet[];
  /** Named addresses, in the order of declaration. */
  readonly addresses: ReadonlyMap<string, NamedAddress>;
  /** Base addresses of tables by name, `page_table_base` and `s2_page_table_base` included. */
  readonly tableBases: ReadonlyMap<string, bigint>;
  /** Cells that the test may change: those of `?->`. isla rejects a test that changes another one. */
  readonly changing: ReadonlySet<bigint>;
  /** `*x = value` lines: what the address names, and the 64-bit value. */
  readonly initial: readonly {
    readonly address: SetupValue;
    readonly value: bigint;
    readonly at: Position;
  }[];
  /** Whether there are tables of stage 2 at all. */
  readonly hasStage2: boolean;
}

/** A value of the set-up language. */
export type SetupValue =
  | { readonly kind: 'va' | 'ipa' | 'pa' | 'table' | 'raw' | 'integer'; readonly value: bigint }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'walk'; readonly stage1: Walk | null; readonly stage2: Walk | null };

/** Where isla's configuration puts the default tables and the code of thread 0. */
export const DEFAULT_STAGE1 = 0x30_0000n;
export const DEFAULT_STAGE2 = 0x20_0000n;
export const CODE_BASE = 0x40_0000n;

const PAGE = 0x1000n;

/** Builds the tables that a set-up describes (isla: page_table/setup.rs). */
export function buildTables(
  symbolic: readonly string[],
  statements: readonly Statement[],
  threads: number,
  start: Position,
): IslaTables {
  const addresses = chooseAddresses(symbolic, statements);
  const options = new Map(
    statements.flatMap((statement) =>
      statement.kind === 'option' ? [[statement.name, statement.value] as const] : [],
    ),
  );
  const useDefault = options.get('default_tables') ?? true;
  const selfMap = options.get('self_map') ?? true;
  const memory = tableMemory();
  const sets: TableSet[] = [];
  const tableBases = new Map<string, bigint>();
  const variables = new Map<string, SetupValue>([['invalid', { kind: 'invalid' }]]);
  const changing = new Set<bigint>();
  const initial: { address: SetupValue; value: bigint; at: Position }[] = [];
  const kinds = { virtual: 'va', intermediate: 'ipa', physical: 'pa' } as const;
  for (const [name, { space, address }] of addresses) {
    variables.set(name, { kind: kinds[space], value: address });
  }
  const current: { 1: TableSet | null; 2: TableSet | null } = { 1: null, 2: null };

  function create(name: string, stage: 1 | 2, base: bigint, at: Position): TableSet {
    const set = memory.create(name, stage, base, at);
    sets.push(set);
    tableBases.set(name, base);
    variables.set(name, { kind: 'table', value: base });
    return set;
  }

  if (useDefault) {
    current[1] = create('page_table_base', 1, DEFAULT_STAGE1, start);
    current[2] = create('s2_page_table_base', 2, DEFAULT_STAGE2, start);
  }

  function leaf(
    set: TableSet,
    output: bigint,
    level: number,
    attributes: StageAttributes,
    at: Position,
  ): bigint {
    const low = (1n << BigInt(12 + 9 * (3 - level))) - 1n;
    return (output & ~low) | (level === 3 ? 3n : 1n) | attributeBits(set.stage, attributes, at);
  }

  const identity = (
    set: TableSet,
    address: bigint,
    level: number,
    attributes: StageAttributes,
    at: Position,
  ): Walk => memory.map(set, address, level, leaf(set, address, level, attributes, at), at);

  const need = (stage: 1 | 2, at: Position): TableSet =>
    current[stage] ?? reject('syntax', at, `there is no stage ${stage} table here.`);

  function mapping(statement: Extract<Statement, { kind: 'map' }>): void {
    const { at, level, maybe, attributes } = statement;
    const from = evaluate(statement.from);
    const to = statement.to === null ? identityTarget(from, at) : evaluate(statement.to);
    const source = statement.to === null && from.kind === 'pa' ? asVirtual(from.value) : from;
    if (source.kind !== 'va' && source.kind !== 'ipa') {
      return reject('syntax', at, 'only virtual and intermediate addresses can be mapped.');
    }
    const stage = source.kind === 'va' ? 1 : 2;
    const set = need(stage, at);
    const bits = descriptor(
      set,
      to,
      level,
      stage === 1 ? attributes.stage1 : attributes.stage2,
      at,
    );
    const walk = memory.map(set, source.value, level, maybe ? null : bits, at);
    const cell = walk.at(-1);
    if (maybe && cell !== undefined) changing.add(cell);
    let second: Walk | null = null;
    // A virtual page on a physical one goes through stage 2 by an identity mapping.
    if (stage === 1 && to.kind === 'pa' && current[2] !== null) {
      const plain = attributes.shared && attributes.stage2.kind !== 'code';
      second = identity(current[2], to.value, level, plain ? DEFAULT : attributes.stage2, at);
    }
    if (statement.walk !== null) {
      variables.set(
        statement.walk,
        stage === 1
          ? { kind: 'walk', stage1: walk, stage2: second }
          : { kind: 'walk', stage1: null, stage2: walk },
      );
    }
  }

  function descriptor(
    set: TableSet,
    to: SetupValue,
    level: number,
    attributes: StageAttributes,
    at: Position,
  ): bigint {
    switch (to.kind) {
      case 'invalid':
        return 0n;
      case 'raw':
        return to.value;
      case 'table':
        return level === 3 ? leaf(set, to.value, 3, attributes, at) : to.value | 3n;
      case 'pa':
      case 'ipa':
        return leaf(set, to.value, level, attributes, at);
      case 'va':
      case 'integer':
      case 'walk':
        return reject('syntax', at, 'this is not something that an address can be mapped to.');
    }
  }

  function mapTables(from: TableSet, into: TableSet, at: Position): void {
    for (let page = 0; page < from.pages(); page += 1) {
      identity(into, from.base + BigInt(page) * PAGE, 3, DEFAULT, at);
    }
  }

  function mapCode(set: TableSet, at: Position): void {
    for (let thread = 0; thread < threads; thread += 1) {
      identity(set, CODE_BASE + BigInt(thread) * PAGE, 3, { kind: 'code' }, at);
    }
  }

  const parents: TableSet[] = [];

  function nested(statement: Extract<Statement, { kind: 'table' }>): void {
    const { at, stage, name, body } = statement;
    const known = sets.find((set) => set.name === name);
    let set = known;
    if (set === undefined) {
      if (statement.address === null) {
        return reject('syntax', at, `the new table \`${name}\` needs an address.`);
      }
      set = create(name, stage, numberOf(evaluate(statement.address), at), at);
    } else if (statement.address !== null) {
      return reject('syntax', at, `there is a table \`${name}\` already.`);
    }
    const outer = { ...current };
    const previous = current[stage];
    if (previous !== null) parents.push(previous);
    current[stage] = set;
    evaluateAll(body);
    mapCode(set, at);
    const other = current[stage === 1 ? 2 : 1];
    const into = [...parents, ...(other === null ? [] : [other])];
    if (selfMap && known === undefined) into.push(set);
    for (const target of into) mapTables(set, target, at);
    if (previous !== null) parents.pop();
    current[1] = outer[1];
    current[2] = outer[2];
  }

  function evaluateAll(all: readonly Statement[]): void {
    for (const statement of all) {
      switch (statement.kind) {
        case 'map':
          mapping(statement);
          break;
        case 'table':
          nested(statement);
          break;
        case 'initial': {
          const value = numberOf(evaluate(statement.value), statement.at);
          initial.push({ address: evaluate(statement.address), value, at: statement.at });
          break;
        }
        case 'option':
        case 'declare':
        case 'assert':
        case 'let':
          break;
      }
    }
  }

  function evaluate(expression: Expression): SetupValue {
    switch (expression.kind) {
      case 'name': {
        const known = variables.get(expression.name);
        if (known !== undefined) return known;
        return reject('syntax', expression.at, `there is no address \`${expression.name}\`.`);
      }
      case 'number':
        return { kind: expression.width === null ? 'integer' : 'pa', value: expression.value };
      case 'label':
        return reject('syntax', expression.at, 'a label means nothing here.');
      case 'call':
        return setupCall(expression, expression.args.map(evaluate));
    }
  }

  evaluateAll(statements);
  if (useDefault) {
    const [stage1, stage2] = sets;
    if (stage1 !== undefined && stage2 !== undefined) {
      for (const set of sets) mapCode(set, start);
      // Mapping tables can make tables: once more, until all of them are mapped.
      for (let pages = -1; pages !== stage1.pages() + stage2.pages();) {
        pages = stage1.pages() + stage2.pages();
        for (const from of [stage1, stage2]) {
          for (const into of [stage1, stage2]) mapTables(from, into, start);
        }
      }
    }
  }
  const hasStage2 = sets.some((set) => set.stage === 2);
  return { memory, sets, addresses, tableBases, changing, initial, hasStage2 };
}

function asVirtual(value: bigint): SetupValue {
  return { kind: 'va', value };
}

/** `identity x` maps `x` to itself as an address of the next space. */
function identityTarget(from: SetupValue, at: Position): SetupValue {
  switch (from.kind) {
    case 'va':
      return { kind: 'ipa', value: from.value };
    case 'ipa':
    case 'pa':
      return { kind: 'pa', value: from.value };
    case 'table':
    case 'raw':
    case 'integer':
    case 'invalid':
    case 'walk':
      return reject('syntax', at, 'only addresses can be mapped to themselves.');
  }
}

function numberOf(value: SetupValue, at: Position): bigint {
  if (value.kind === 'invalid') return 0n;
  if (value.kind === 'walk') return reject('syntax', at, 'a walk is not a number.');
  return value.value;
}

const CONVERSIONS: ReadonlyMap<string, 'va' | 'ipa' | 'pa'> = new Map([
  ['va_to_pa', 'pa'],
  ['ipa_to_pa', 'pa'],
  ['pa_to_va', 'va'],
  ['ipa_to_va', 'va'],
  ['va_to_ipa', 'ipa'],
  ['pa_to_ipa', 'ipa'],
]);

/** The functions of the set-up language: address conversions, `raw`, `table`, `pteN`, `tableN`. */
function setupCall(
  expression: Extract<Expression, { kind: 'call' }>,
  args: readonly SetupValue[],
): SetupValue {
  const { name, at } = expression;
  const [first] = args;
  if (first === undefined) return reject('syntax', at, `\`${name}\` needs an argument.`);
  const conversion = CONVERSIONS.get(name);
  if (conversion !== undefined) return { kind: conversion, value: numberOf(first, at) };
  if (name === 'raw') return { kind: 'raw', value: numberOf(first, at) };
  if (name === 'table') return { kind: 'table', value: numberOf(first, at) };
  const part = /^(s2)?(pte|table)([0-3])$/.exec(name);
  if (part !== null && first.kind === 'walk') {
    const walk = part[1] === undefined ? (first.stage1 ?? first.stage2) : first.stage2;
    const cell = walk?.[Number(part[3])];
    if (cell === undefined) return reject('syntax', at, 'this walk does not reach that level.');
    return { kind: 'pa', value: part[2] === 'pte' ? cell : cell & ~0xfffn };
  }
  return reject('unsupported', at, `the function \`${name}\` is unknown here.`);
}
