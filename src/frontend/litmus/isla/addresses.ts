import { reject, type Position } from '../problem.ts';
import type { Expression } from './expression.ts';
import type { Statement } from './setup-language.ts';

/** An address space that names of a test live in. */
export type Space = 'virtual' | 'intermediate' | 'physical';

/** A named address. */
export interface NamedAddress {
  readonly space: Space;
  readonly address: bigint;
}

/**
 * Where names begin in each space. Physical pages lie apart, so that no stage-2 identity mapping of
 * one meets an intermediate address that a test maps itself. Virtual and intermediate addresses share
 * a 2 MB block, but never a page: tests name the stage-2 table of an intermediate address by a
 * virtual one (`pte2(x, vm_stage2)`). Intermediate and physical addresses begin at a 2 MB boundary,
 * which tests with blocks count on.
 */
const FIRST: Readonly<Record<Space, bigint>> = {
  virtual: 0x70_0000n,
  intermediate: 0x60_0000n,
  physical: 0xe0_0000n,
};

const PAGE = 0x1000n;
const BLOCK = 0x20_0000n;

interface Variable {
  readonly name: string;
  readonly space: Space;
  readonly alignment: bigint;
  /** Declared together, hence different. */
  readonly group: number;
}

/**
 * Chooses the addresses of a test: consecutive pages in the order of declaration, unless alignment
 * or an `assert` asks for something else, for which a few other places are tried.
 */
export function chooseAddresses(
  symbolic: readonly string[],
  statements: readonly Statement[],
): ReadonlyMap<string, NamedAddress> {
  const variables = declared(symbolic, statements);
  const asserts = statements.flatMap((statement) =>
    statement.kind === 'assert' ? [statement] : [],
  );
  const chosen = new Map<string, bigint>();
  const constrained = new Set(asserts.flatMap(({ condition }) => namesIn(condition)));
  const order = [
    ...variables.filter(({ name }) => !constrained.has(name)),
    ...variables.filter(({ name }) => constrained.has(name)),
  ];

  const fits = (variable: Variable, address: bigint): boolean =>
    address % variable.alignment === 0n &&
    variables.every(
      (other) =>
        other.name === variable.name ||
        other.space !== variable.space ||
        chosen.get(other.name) !== address,
    );
  const holdSoFar = (): boolean =>
    asserts.every(
      ({ condition }) =>
        namesIn(condition).some((name) => !chosen.has(name) && isDeclared(name)) ||
        evaluateCondition(condition, chosen, statements) !== 0n,
    );
  const isDeclared = (name: string): boolean => variables.some((other) => other.name === name);

  let budget = 100_000;
  const place = (index: number): boolean => {
    const variable = order[index];
    if (variable === undefined) return true;
    for (const address of candidates(variable, variables)) {
      budget -= 1;
      if (budget < 0) return false;
      if (!fits(variable, address)) continue;
      chosen.set(variable.name, address);
      if (holdSoFar() && place(index + 1)) return true;
      chosen.delete(variable.name);
    }
    return false;
  };
  if (!place(0)) {
    const at: Position = asserts[0]?.at ?? { file: '', line: 0, column: 0 };
    return reject('unsupported', at, 'no addresses that we try satisfy the assertions.');
  }
  return new Map(
    variables.map(({ name, space }) => [name, { space, address: chosen.get(name) ?? 0n }]),
  );
}

function declared(symbolic: readonly string[], statements: readonly Statement[]): Variable[] {
  const variables = new Map<string, Variable>();
  const add = (name: string, space: Space, alignment: bigint, group: number): void => {
    variables.set(name, { name, space, alignment, group });
  };
  for (const name of symbolic) add(name, 'virtual', PAGE, 0);
  statements.forEach((statement, index) => {
    if (statement.kind !== 'declare') return;
    for (const name of statement.names) {
      add(name, statement.space, statement.alignment, index + 1);
    }
  });
  return [...variables.values()];
}

function* candidates(variable: Variable, all: readonly Variable[]): Generator<bigint> {
  const own = FIRST[variable.space];
  const pages = BigInt(all.length + 2);
  for (let page = 0n; page < pages; page += 1n) yield own + page * PAGE;
  yield (own & ~(BLOCK - 1n)) + BLOCK;
  // Further 2 MB blocks of the same space lie above all first ones.
  for (let block = 0n; block < pages; block += 1n) {
    yield FIRST.physical + BLOCK * (2n + block * 3n) + spaceOffset(variable.space);
  }
  for (const space of ['virtual', 'intermediate', 'physical'] as const) {
    if (space === variable.space) continue;
    for (let page = 0n; page < pages; page += 1n) yield FIRST[space] + page * PAGE;
  }
}

function spaceOffset(space: Space): bigint {
  return space === 'virtual' ? 0n : space === 'intermediate' ? BLOCK : 2n * BLOCK;
}

function namesIn(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case 'name':
      return [expression.name];
    case 'call':
      return [...expression.args, ...expression.named.values()].flatMap(namesIn);
    case 'label':
    case 'number':
      return [];
  }
}

/** The value of an assertion; truth is 1. */
function evaluateCondition(
  expression: Expression,
  names: ReadonlyMap<string, bigint>,
  statements: readonly Statement[],
): bigint {
  const value = (inner: Expression): bigint => evaluateCondition(inner, names, statements);
  const truth = (holds: boolean): bigint => (holds ? 1n : 0n);
  switch (expression.kind) {
    case 'number':
      return expression.value;
    case 'name': {
      const known = names.get(expression.name);
      if (known !== undefined) return known;
      return reject('syntax', expression.at, `there is no address \`${expression.name}\`.`);
    }
    case 'label':
      return reject('syntax', expression.at, 'a label has no address yet.');
    case 'call':
      break;
  }
  const [a = 0n, b = 0n, c = 0n] = expression.args.map(value);
  switch (expression.name) {
    case 'eq':
    case 'eq_bits':
      return truth(a === b);
    case 'neq':
    case 'neq_bits':
      return truth(a !== b);
    case 'and_bool':
    case 'and_bits':
      return a & b;
    case 'or_bool':
    case 'or_bits':
      return a | b;
    case 'xor_bits':
      return a ^ b;
    case 'not':
      return truth(a === 0n);
    case 'slice':
      if (c > b || b > 63n) return reject('syntax', expression.at, 'this slice is empty.');
      return (a >> c) & ((1n << (b - c + 1n)) - 1n);
    case 'add_bits':
    case 'add_bits_int':
      return a + b;
    case 'sub_bits':
    case 'sub_bits_int':
      return a - b;
    default: {
      const own = statements.find(
        (statement) => statement.kind === 'let' && statement.name === expression.name,
      );
      if (own?.kind !== 'let') {
        return reject(
          'unsupported',
          expression.at,
          `the function \`${expression.name}\` is unknown.`,
        );
      }
      const values = expression.args.map(value);
      const bound = new Map(own.parameters.map((name, index) => [name, values[index] ?? 0n]));
      return evaluateCondition(own.body, bound, statements);
    }
  }
}
