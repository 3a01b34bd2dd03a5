import { FrontendError } from '../diagnostic.ts';
import type { CompiledFunction, Instruction } from '../lower/bytecode.ts';
import type { VmEvent } from './event.ts';
import { type Private, privateAt, readNumber, variableAt, writeNumber } from './memory.ts';
import { initializerOf, placeOf, type Program, startsUnset, symbolAt } from './program.ts';
import {
  addObject,
  type AnswerSoFar,
  type Bytes,
  createFrame,
  type Working,
  type WorkingFrame,
} from './state.ts';

/** Leaves an instruction that must wait for an answer; it is tried again from its beginning. */
export class Waiting {
  readonly event: VmEvent;

  constructor(event: VmEvent) {
    this.event = event;
  }
}

/** What running one instruction needs. */
export interface Run {
  readonly program: Program;
  readonly working: Working;
  /** The value that the outermost function returned, once it has. */
  finished: { readonly value: bigint | null } | null;
  /** Runs one instruction: here to give an object its first value. */
  readonly step: (run: Run, frame: WorkingFrame, instruction: Instruction) => void;
}

const MAX_OBJECT_SIZE = 1 << 26;

export function stop(run: Run, frame: WorkingFrame, at: number, message: string): FrontendError {
  const { use } = placeOf(run.program, { unit: frame.function.unit, token: at });
  return new FrontendError(use.file, use.line, use.column, message);
}

/** The answer to an event: given before, or waited for now. */
export function ask(run: Run, event: VmEvent): AnswerSoFar {
  const answer = run.working.answers[run.working.used];
  if (answer === undefined) throw new Waiting(event);
  run.working.used += 1;
  return answer;
}

/** The thread's own bytes at an address, or `null` when they are outside. */
export function locate(
  run: Run,
  frame: WorkingFrame,
  at: number,
  address: bigint,
  size: number,
  forWriting: boolean,
): Private | null {
  const make = (key: string, length: number): Bytes => {
    if (length > MAX_OBJECT_SIZE) {
      throw stop(run, frame, at, `an object of ${length} bytes is too large to run with`);
    }
    return materialise(run, key, length);
  };
  const found = privateAt(run.program, run.working, address, size, forWriting, make);
  if (found === 'beyond') {
    throw stop(
      run,
      frame,
      at,
      `${size} bytes at 0x${address.toString(16)} reach beyond their object`,
    );
  }
  return found === 'outside' ? null : found;
}

/** Gives an object of file scope its first value. */
function materialise(run: Run, key: string, length: number): Bytes {
  const object = { bytes: new Uint8Array(length), written: new Uint8Array(length).fill(1) };
  addObject(run.working, key, object);
  const symbol = run.program.symbols.get(key);
  if (symbol === undefined) return object;
  if (symbol.text !== null) {
    for (let i = 0; i < symbol.text.length; i++) object.bytes[i] = symbol.text.charCodeAt(i);
    return object;
  }
  const code = initializerOf(run.program, symbol);
  if (code === null) {
    if (startsUnset(run.program, symbol)) object.written.fill(0);
    return object;
  }
  const { working } = run;
  const frame = createFrame(working, code, { kind: 'none' });
  frame.registers[0] = symbol.address;
  const depth = working.frames.length;
  working.frames.push(frame);
  for (;;) {
    const instruction = code.code[frame.pc];
    if (instruction === undefined || instruction.op === 'return') break;
    if (instruction.op === 'call' || instruction.op === 'asm') {
      throw stop(run, frame, instruction.at, 'the first value of an object must be a constant');
    }
    noteFirstStore(run.program, code, frame, symbol.address);
    run.step(run, frame, instruction);
  }
  working.frames.length = depth;
  return object;
}

/** Remembers which part of its object an instruction of a first value gives. */
function noteFirstStore(
  program: Program,
  code: CompiledFunction,
  { pc, registers }: WorkingFrame,
  base: bigint,
): void {
  const instruction = code.code[pc];
  if (instruction?.op !== 'store') return;
  const address = registers[instruction.address];
  if (address === null || address === undefined) return;
  let stores = program.firstStores.get(code);
  if (stores === undefined) program.firstStores.set(code, (stores = new Map()));
  stores.set(pc, [Number(address - base), instruction.shape.size]);
}

function symbolOffset(program: Program, address: bigint): { name: string; offset: number } | null {
  const symbol = symbolAt(program, address);
  return symbol === null ? null : { name: symbol.name, offset: Number(address - symbol.address) };
}

export function load(
  run: Run,
  frame: WorkingFrame,
  at: number,
  address: bigint,
  size: number,
  volatile: boolean,
): bigint {
  const own = locate(run, frame, at, address, size, false);
  if (own !== null) {
    const value = readNumber(own, size);
    if (value === null) {
      const name = symbolOffset(run.program, address)?.name ?? variableAt(run.working, address);
      throw stop(run, frame, at, `${name} is read before it has a value`);
    }
    return value;
  }
  const place = { unit: frame.function.unit, token: at };
  const symbol = symbolOffset(run.program, address);
  const answer = ask(run, { kind: 'load', at: place, address, size, volatile, symbol });
  const value = answer.values[0];
  if (value === undefined) throw stop(run, frame, at, 'a load was answered without a value');
  return BigInt.asUintN(size * 8, value);
}

export function store(
  run: Run,
  frame: WorkingFrame,
  at: number,
  address: bigint,
  size: number,
  value: bigint,
  volatile: boolean,
): void {
  const own = locate(run, frame, at, address, size, true);
  if (own !== null) {
    writeNumber(own, size, value);
    return;
  }
  const place = { unit: frame.function.unit, token: at };
  const symbol = symbolOffset(run.program, address);
  const bits = BigInt.asUintN(size * 8, value);
  ask(run, { kind: 'store', at: place, address, size, value: bits, volatile, symbol });
}

export function rawBytes({ bytes, offset }: Private, size: number): bigint {
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[offset + i] ?? 0);
  return value;
}

/** Copies bytes; between private places unwritten bytes stay unwritten. */
export function copy(
  run: Run,
  frame: WorkingFrame,
  at: number,
  to: bigint,
  from: bigint,
  size: number,
  volatile: boolean,
): void {
  if (size === 0 || to === from) return;
  const source = locate(run, frame, at, from, size, false);
  const target = locate(run, frame, at, to, size, true);
  if (source !== null && target !== null) {
    target.bytes.set(source.bytes.slice(source.offset, source.offset + size), target.offset);
    target.written.set(source.written.slice(source.offset, source.offset + size), target.offset);
    return;
  }
  const chunks: { readonly offset: number; readonly size: number; readonly value: bigint }[] = [];
  for (let offset = 0; offset < size;) {
    const piece = chunkSize(size - offset, from + BigInt(offset), to + BigInt(offset));
    const value = load(run, frame, at, from + BigInt(offset), piece, volatile);
    chunks.push({ offset, size: piece, value });
    offset += piece;
  }
  for (const { offset, size: piece, value } of chunks) {
    store(run, frame, at, to + BigInt(offset), piece, value, volatile);
  }
}

/** The widest aligned access up to 8 bytes. */
function chunkSize(left: number, from: bigint, to: bigint): number {
  for (const size of [8, 4, 2]) {
    const mask = BigInt(size - 1);
    if (left >= size && (from & mask) === 0n && (to & mask) === 0n) return size;
  }
  return 1;
}

export function fill(
  run: Run,
  frame: WorkingFrame,
  at: number,
  address: bigint,
  size: number,
  byte: bigint,
): void {
  if (size === 0) return;
  const own = locate(run, frame, at, address, size, true);
  if (own !== null) {
    own.bytes.fill(Number(byte), own.offset, own.offset + size);
    own.written.fill(1, own.offset, own.offset + size);
    return;
  }
  const word = byte * 0x0101010101010101n;
  for (let offset = 0; offset < size;) {
    const place = address + BigInt(offset);
    const piece = chunkSize(size - offset, place, place);
    store(run, frame, at, place, piece, BigInt.asUintN(piece * 8, word), false);
    offset += piece;
  }
}

export function compare(
  run: Run,
  frame: WorkingFrame,
  at: number,
  a: bigint,
  b: bigint,
  size: number,
): number {
  for (let i = 0; i < size; i++) {
    const x = load(run, frame, at, a + BigInt(i), 1, false);
    const y = load(run, frame, at, b + BigInt(i), 1, false);
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
