import { FrontendError } from '../diagnostic.ts';
import type {
  AsmInstruction,
  CallInstruction,
  Instruction,
  ReturnValue,
} from '../lower/bytecode.ts';
import { dropDead } from '../lower/liveness.ts';
import { countBits } from '../types/constant.ts';
import { bytesOfBits, calculate, extractBits, insertBits, wrap } from './arithmetic.ts';
import type { VmEvent } from './event.ts';
import {
  addressOfName,
  compiled,
  findFunction,
  type FunctionRef,
  type Program,
  liveness,
  stringSymbol,
} from './program.ts';
import { createFrame, own, type WorkingFrame } from './state.ts';
import {
  ask,
  compare,
  copy,
  fill,
  load,
  locate,
  rawBytes,
  type Run,
  stop,
  store,
} from './access.ts';

const MAX_FRAMES = 256;

/** Kernel stacks have 16 KB; anything near this is no kernel code. */
const MAX_FRAME_SIZE = 1 << 20;

/** Runs one instruction; throws `Waiting` when the outside must answer first. */
export function step(run: Run, frame: WorkingFrame, instruction: Instruction): void {
  const { registers } = frame;
  const { at } = instruction;
  const value = (register: number): bigint => {
    const found = registers[register];
    if (found === null || found === undefined) {
      throw stop(run, frame, at, 'a variable is read before it has a value');
    }
    return found;
  };
  const next = (): void => {
    frame.pc += 1;
  };
  switch (instruction.op) {
    case 'constant':
      registers[instruction.to] = instruction.value;
      return next();
    case 'symbol':
      registers[instruction.to] = addressOfSymbol(run, frame, at, instruction.name);
      return next();
    case 'string':
      registers[instruction.to] = stringSymbol(run.program, instruction.text).address;
      return next();
    case 'frame':
      registers[instruction.to] = run.working.stackBase + BigInt(frame.base + instruction.offset);
      return next();
    case 'unset':
      registers[instruction.to] = null;
      return next();
    case 'move':
      registers[instruction.to] = registers[instruction.from] ?? null;
      return next();
    case 'convert':
      registers[instruction.to] = wrap(value(instruction.from), instruction.shape);
      return next();
    case 'unary': {
      const a = value(instruction.a);
      const result =
        instruction.operator === '!'
          ? a === 0n
            ? 1n
            : 0n
          : instruction.operator === '-'
            ? -a
            : ~a;
      registers[instruction.to] = wrap(result, instruction.shape);
      return next();
    }
    case 'binary': {
      const { operator, shape } = instruction;
      const result = calculate(operator, value(instruction.a), value(instruction.b), shape);
      if (typeof result === 'string') throw stop(run, frame, at, `${result} has no defined result`);
      registers[instruction.to] = result;
      return next();
    }
    case 'offset':
      registers[instruction.to] = BigInt.asUintN(64, value(instruction.a) + instruction.value);
      return next();
    case 'load': {
      const { shape, volatile } = instruction;
      const raw = load(run, frame, at, value(instruction.address), shape.size, volatile);
      registers[instruction.to] = wrap(raw, shape);
      return next();
    }
    case 'store': {
      const { shape, volatile } = instruction;
      store(
        run,
        frame,
        at,
        value(instruction.address),
        shape.size,
        value(instruction.from),
        volatile,
      );
      return next();
    }
    case 'load-bits': {
      const { bits, volatile } = instruction;
      const raw = load(run, frame, at, value(instruction.address), bytesOfBits(bits), volatile);
      registers[instruction.to] = extractBits(raw, bits);
      return next();
    }
    case 'store-bits': {
      const { bits, volatile } = instruction;
      const address = value(instruction.address);
      const size = bytesOfBits(bits);
      const own = locate(run, frame, at, address, size, false);
      // The bits around the field may never have been written; they stay what they are.
      const raw =
        own === null ? load(run, frame, at, address, size, volatile) : rawBytes(own, size);
      store(
        run,
        frame,
        at,
        address,
        size,
        insertBits(raw, value(instruction.from), bits),
        volatile,
      );
      return next();
    }
    case 'copy': {
      const { size, volatile } = instruction;
      copy(run, frame, at, value(instruction.to), value(instruction.from), size, volatile);
      return next();
    }
    case 'zero':
      fill(run, frame, at, value(instruction.address), instruction.size, 0n);
      return next();
    case 'jump':
      frame.pc = instruction.target;
      return;
    case 'branch':
      frame.pc = value(instruction.test) !== 0n ? instruction.yes : instruction.no;
      return;
    case 'switch': {
      const tested = value(instruction.value);
      const found = instruction.cases.find(({ low, high }) => low <= tested && tested <= high);
      frame.pc = found?.target ?? instruction.otherwise;
      return;
    }
    case 'call':
      return call(run, frame, instruction, value);
    case 'return':
      return returnFrom(run, frame, at, instruction.value, value);
    case 'asm':
      return assembly(run, frame, instruction, value);
    case 'builtin': {
      const { name, shape, arguments: args } = instruction;
      const a = value(args[0] ?? -1);
      const counted = /^l?abs$/.test(name) ? { value: a < 0n ? -a : a } : countBits(name, a);
      if (counted === null)
        throw stop(run, frame, at, `__builtin_${name}(${a}) has no defined result`);
      registers[instruction.to] = wrap(counted.value, shape);
      return next();
    }
    case 'memory': {
      const [a, b, c] = instruction.arguments;
      const size = Number(value(c));
      if (size > 1 << 20)
        throw stop(run, frame, at, `${instruction.name} of ${size} bytes is too long`);
      if (instruction.name === 'memset') fill(run, frame, at, value(a), size, value(b) & 0xffn);
      else if (instruction.name === 'memcmp') {
        registers[instruction.to] = BigInt(compare(run, frame, at, value(a), value(b), size));
        return next();
      } else copy(run, frame, at, value(a), value(b), size, false);
      registers[instruction.to] = value(a);
      return next();
    }
    case 'stop':
      throw stop(run, frame, at, instruction.message);
  }
}

/** An unknown name is reported where it is used, not where the linker stumbles over it. */
function addressOfSymbol(run: Run, frame: WorkingFrame, at: number, name: string): bigint {
  try {
    return addressOfName(run.program, frame.function.unit, name);
  } catch (error) {
    if (!(error instanceof FrontendError)) throw error;
    throw stop(run, frame, at, error.diagnostic.message);
  }
}

function call(
  run: Run,
  frame: WorkingFrame,
  instruction: CallInstruction,
  value: (register: number) => bigint,
): void {
  const { at, result } = instruction;
  const { program, working } = run;
  const ref = target(run, frame, instruction, value);
  const code = compiled(program, ref);
  if (code === null) {
    const args = instruction.arguments.map((argument) =>
      argument.kind === 'scalar'
        ? value(argument.from)
        : load(run, frame, at, value(argument.address), argument.size, false),
    );
    const place = { unit: frame.function.unit, token: at };
    const shape =
      result.kind === 'register'
        ? result.shape
        : result.kind === 'memory'
          ? { size: result.size, signed: false, bool: false }
          : null;
    const answer = ask(run, {
      kind: 'call',
      at: place,
      name: ref.name,
      arguments: args,
      result: shape,
    });
    if (result.kind !== 'none') {
      const given = answer.values[0];
      if (given === undefined)
        throw stop(run, frame, at, `${ref.name} was answered without a value`);
      if (result.kind === 'register') frame.registers[result.to] = wrap(given, result.shape);
      else store(run, frame, at, value(result.address), result.size, given, false);
    }
    frame.pc += 1;
    return;
  }
  if (working.frames.length >= MAX_FRAMES) {
    throw stop(run, frame, at, `calls are nested more than ${MAX_FRAMES} deep`);
  }
  if (code.frameSize > MAX_FRAME_SIZE) {
    throw stop(run, frame, at, `the variables of ${ref.name} take ${code.frameSize} bytes`);
  }
  const given = instruction.arguments.length;
  if (given > code.parameters.length && isStandIn(program, ref)) {
    throw stop(run, frame, at, `${ref.name} takes fewer than the ${given} arguments given here`);
  }
  const inner = createFrame(working, code, result);
  working.frames.push(inner);
  try {
    code.parameters.forEach((parameter, i) => {
      const argument = instruction.arguments[i];
      if (argument === undefined) throw stop(run, frame, at, `${ref.name} needs more arguments`);
      if (parameter.kind === 'register') {
        if (argument.kind !== 'scalar')
          throw stop(run, frame, at, `${ref.name} takes no struct here`);
        inner.registers[parameter.register] = wrap(value(argument.from), parameter.shape);
        return;
      }
      const place = working.stackBase + BigInt(inner.base + parameter.offset);
      if (argument.kind === 'scalar') {
        store(run, frame, at, place, parameter.size, value(argument.from), false);
      } else {
        copy(run, frame, at, place, value(argument.address), parameter.size, false);
      }
    });
  } catch (error) {
    working.frames.pop();
    throw error;
  }
  const kept = result.kind === 'memory' ? (frame.registers[result.address] ?? null) : null;
  const live = liveness(program, frame.function);
  dropDead(frame.registers, live, live.during, frame.pc);
  if (result.kind === 'memory') frame.registers[result.address] = kept;
}

/** A stand-in is written for one form of a function, of which a tree may have another. */
function isStandIn(program: Program, { unit, name }: FunctionRef): boolean {
  return unit === 0 && [...program.options.standIns.values()].includes(name);
}

function target(
  run: Run,
  frame: WorkingFrame,
  { callee, at }: CallInstruction,
  value: (register: number) => bigint,
): FunctionRef {
  if (callee.kind === 'name') return findFunction(run.program, frame.function.unit, callee.name);
  const address = value(callee.register);
  const ref = run.program.byFunctionAddress.get(address);
  if (ref === undefined) {
    throw stop(run, frame, at, `no function stands at 0x${address.toString(16)}`);
  }
  return ref;
}

function returnFrom(
  run: Run,
  frame: WorkingFrame,
  at: number,
  given: ReturnValue,
  value: (register: number) => bigint,
): void {
  const { working } = run;
  const { result } = frame;
  const caller = working.frames[working.frames.length - 2];
  if (caller !== undefined) own(caller);
  let scalar: bigint | null = null;
  if (given.kind === 'register') scalar = value(given.from);
  else if (given.kind === 'memory' && result.kind === 'memory' && caller !== undefined) {
    const into = caller.registers[result.address] ?? null;
    if (into === null) throw stop(run, frame, at, 'the place for a returned struct is lost');
    copy(run, frame, at, into, value(given.address), result.size, false);
  } else if (given.kind === 'memory' && caller === undefined) {
    scalar = load(run, frame, at, value(given.address), given.size, false);
  }
  if (result.kind === 'register' && caller !== undefined) {
    // A function that ends without a value leaves the register unwritten: using it stops the run.
    caller.registers[result.to] = scalar === null ? null : wrap(scalar, result.shape);
  }
  working.frames.pop();
  if (caller === undefined) {
    run.finished = { value: scalar };
    return;
  }
  caller.pc += 1;
}

function assembly(
  run: Run,
  frame: WorkingFrame,
  instruction: AsmInstruction,
  value: (register: number) => bigint,
): void {
  const { at, template, volatile, clobbers } = instruction;
  const operands = instruction.operands.map(
    ({ name, constraint, input, output, memory, size }) => ({
      name,
      constraint,
      size,
      value: input === null ? null : value(input),
      memory,
      output: output !== null || (memory && /[=+]/.test(constraint)),
    }),
  );
  const place = { unit: frame.function.unit, token: at };
  const labels = instruction.labels.map(({ name }) => name);
  const event: VmEvent = { kind: 'asm', at: place, template, volatile, operands, clobbers, labels };
  const answer = ask(run, event);
  let index = 0;
  for (const { output } of instruction.operands) {
    if (output === null) continue;
    const given = answer.values[index];
    if (given === undefined) throw stop(run, frame, at, 'an asm was answered with too few values');
    frame.registers[output.to] = wrap(given, output.shape);
    index += 1;
  }
  if (answer.label === null) {
    frame.pc += 1;
    return;
  }
  const taken = instruction.labels.find(({ name }) => name === answer.label);
  if (taken === undefined) throw stop(run, frame, at, `this asm has no label ${answer.label}`);
  frame.pc = taken.target;
}
