import { attempt, type Outcome } from '../diagnostic.ts';
import type { FunctionDefinition, Initializer } from '../parse/ast.ts';
import { parseBody } from '../parse/unit.ts';
import { NO_LOCALS, type TypeContext } from '../types/context.ts';
import { resolveType } from '../types/resolve.ts';
import { sizeOf } from '../types/size.ts';
import { decayed, type Type, VOID } from '../types/type.ts';
import { addressedNames } from './addressed.ts';
import {
  allocateVariable,
  type Builder,
  emit,
  findVariable,
  isAggregate,
  type Lowering,
  newRegister,
  openBlock,
  shapeOf,
  type StaticLocal,
  type Variable,
} from './builder.ts';
import type { CompiledFunction, Instruction, ParameterPlace } from './bytecode.ts';
import { lowerEffect, lowerValue } from './expressions.ts';
import { lowerPlace } from './places.ts';
import { initialise } from './initialise.ts';
import { lowerBlock, lowerDeclaration, lowerStatement } from './statements.ts';

const LOWERING: Lowering = {
  value: lowerValue,
  place: lowerPlace,
  effect: lowerEffect,
  statement: lowerStatement,
  declaration: lowerDeclaration,
  block: lowerBlock,
  initialise,
};

/** A function as code, and the static locals it brings. */
export interface LoweredFunction {
  readonly code: CompiledFunction;
  readonly statics: ReadonlyMap<string, StaticLocal>;
  readonly externs: ReadonlyMap<string, Type>;
}

/** Lowers one function; only an unreadable body fails, anything else becomes a `stop` in the code. */
export function lowerFunction(
  context: TypeContext,
  unit: number,
  definition: FunctionDefinition,
): Outcome<LoweredFunction> {
  const body = parseBody(context.unit, definition);
  if (body.kind === 'failed') return body;
  return attempt(() => {
    const returns = resolveType(context, definition.type.returns, NO_LOCALS);
    const addressed = addressedNames(body.value);
    const builder = createBuilder(context, unit, definition.name, returns, addressed);
    const block = openBlock(builder);
    const parameters: ParameterPlace[] = [];
    for (const { name, type: syntax, at } of definition.type.parameters) {
      const type = decayed(resolveType(context, syntax, builder.locals));
      const declared = resolveType(context, syntax, builder.locals);
      if (isAggregate(type) || declared.volatile || (name !== null && addressed.has(name))) {
        const offset = allocateVariable(builder, name, type, at);
        const size = sizeOf(context, type, at);
        parameters.push({ kind: 'frame', offset, size, aggregate: isAggregate(type) });
        if (name !== null) block.names.set(name, { kind: 'frame', offset, type: declared });
      } else {
        const register = newRegister(builder);
        parameters.push({ kind: 'register', register, shape: shapeOf(builder, type, at) });
        if (name !== null) block.names.set(name, { kind: 'register', register, type: declared });
      }
    }
    lowerBlock(builder, body.value);
    emit(builder, { op: 'return', at: definition.bodyEnd - 1, value: { kind: 'none' } });
    return {
      code: finish(builder, parameters, returns),
      statics: builder.statics,
      externs: builder.externs,
    };
  });
}

/** Code that fills an object; it is called with the object's address. `names` are those of its function. */
export function lowerInitializer(
  context: TypeContext,
  unit: number,
  name: string,
  type: Type,
  initializer: Initializer,
  names: ReadonlyMap<string, Variable>,
): Outcome<CompiledFunction> {
  return attempt(() => {
    const builder = createBuilder(context, unit, name, VOID, new Set());
    const block = openBlock(builder);
    for (const [known, variable] of names) {
      const { kind, type: itsType } = variable;
      block.names.set(known, kind === 'symbol' ? variable : { kind: 'only-type', type: itsType });
    }
    const address = newRegister(builder);
    initialise(builder, { kind: 'memory', address, offset: 0, type, bits: null }, initializer);
    emit(builder, { op: 'return', at: initializer.at, value: { kind: 'none' } });
    const shape = { size: 8, signed: false, bool: false };
    return finish(builder, [{ kind: 'register', register: address, shape }], VOID);
  });
}

function createBuilder(
  context: TypeContext,
  unit: number,
  name: string,
  returns: Type,
  addressed: ReadonlySet<string>,
): Builder {
  const blocks: Builder['blocks'] = [];
  return {
    context,
    unit,
    name,
    returns,
    lowering: LOWERING,
    code: [],
    targets: [],
    blocks,
    loops: [],
    switches: [],
    labels: new Map(),
    addressed,
    statics: new Map(),
    externs: new Map(),
    locals: (wanted) => findVariable(blocks, wanted)?.type ?? null,
    registers: 0,
    mostRegisters: 0,
    frameSize: 0,
    variables: [],
  };
}

function finish(
  builder: Builder,
  parameters: readonly ParameterPlace[],
  returns: Type,
): CompiledFunction {
  const { targets } = builder;
  const missing = builder.code.length;
  emit(builder, { op: 'stop', at: 0, message: 'a jump leads to a label that is not understood' });
  const place = (label: number): number => {
    const target = targets[label] ?? -1;
    return target < 0 ? missing : target;
  };
  return {
    name: builder.name,
    unit: builder.unit,
    code: builder.code.map((instruction) => resolveTargets(instruction, place)),
    registers: Array.from({ length: builder.mostRegisters }, () => null),
    frameSize: builder.frameSize,
    variables: builder.variables,
    parameters,
    result: returns.kind === 'void' ? 'none' : isAggregate(returns) ? 'aggregate' : 'scalar',
  };
}

function resolveTargets(instruction: Instruction, place: (label: number) => number): Instruction {
  if (instruction.op === 'jump') return { ...instruction, target: place(instruction.target) };
  if (instruction.op === 'branch') {
    return { ...instruction, yes: place(instruction.yes), no: place(instruction.no) };
  }
  if (instruction.op === 'switch') {
    const cases = instruction.cases.map((one) => ({ ...one, target: place(one.target) }));
    return { ...instruction, cases, otherwise: place(instruction.otherwise) };
  }
  if (instruction.op === 'asm') {
    const labels = instruction.labels.map((one) => ({ ...one, target: place(one.target) }));
    return { ...instruction, labels };
  }
  return instruction;
}
