import type { CallResult, CompiledFunction } from '../lower/bytecode.ts';

/**
 * The whole state of a host thread, as plain data: it can be copied, compared and kept. Code is named,
 * not contained, apart from the reference in each frame that is found again by unit and name.
 */
export interface VmState {
  readonly frames: readonly Frame[];
  /** Where the stack stands in the address space; each thread has its own. */
  readonly stackBase: bigint;
  /** The bytes of the objects of file scope that were touched so far. */
  readonly objects: ReadonlyMap<string, Bytes>;
  /** Parts of objects that are not the thread's own: other threads use them too. */
  readonly shared: readonly AddressRange[];
  /** Answers to the events of the instruction that is waiting, in order. */
  readonly answers: readonly AnswerSoFar[];
}

/** Addresses from `from` up to, not including, `to`. */
export interface AddressRange {
  readonly from: bigint;
  readonly to: bigint;
}

export interface AnswerSoFar {
  readonly values: readonly bigint[];
  readonly label: string | null;
}

export interface Frame {
  readonly function: CompiledFunction;
  readonly pc: number;
  /** `null` in a register that was never written: reading it stops the run. */
  readonly registers: readonly (bigint | null)[];
  /** First byte of the frame in the stack. */
  readonly base: number;
  /** The variables that have addresses. */
  readonly memory: Bytes;
  /** What the caller does with the result. */
  readonly result: CallResult;
}

export interface Bytes {
  readonly bytes: Uint8Array;
  /** 1 for each byte that was written; reading another stops the run. */
  readonly written: Uint8Array;
}

/**
 * The state as it is worked on inside `advance`. What a `VmState` holds is never written: registers and
 * objects are shared with it until the first write, then copied.
 */
export interface Working {
  readonly frames: WorkingFrame[];
  readonly stackBase: bigint;
  readonly shared: readonly AddressRange[];
  objects: Map<string, Bytes>;
  /** Objects whose bytes this run may write; `null` while even the map is shared. */
  ownObjects: Set<string> | null;
  answers: readonly AnswerSoFar[];
  /** Answers of the waiting instruction that were used up in this attempt. */
  used: number;
}

export interface WorkingFrame {
  readonly function: CompiledFunction;
  pc: number;
  registers: (bigint | null)[];
  /** False while the registers are shared with a frozen state. */
  own: boolean;
  readonly base: number;
  memory: Bytes;
  ownMemory: boolean;
  readonly result: CallResult;
}

export function thaw(state: VmState): Working {
  const working: Working = {
    frames: state.frames.map((frame) => ({
      ...frame,
      registers: frame.registers as (bigint | null)[],
      own: false,
      ownMemory: false,
    })),
    stackBase: state.stackBase,
    shared: state.shared,
    objects: state.objects as Map<string, Bytes>,
    ownObjects: null,
    answers: state.answers,
    used: 0,
  };
  const top = working.frames[working.frames.length - 1];
  if (top !== undefined) own(top);
  return working;
}

/** Makes the registers of a frame writable. */
export function own(frame: WorkingFrame): void {
  if (frame.own) return;
  frame.registers = frame.registers.slice();
  frame.own = true;
}

/** Makes the memory of a frame writable. */
export function ownMemory(frame: WorkingFrame): Bytes {
  if (!frame.ownMemory) {
    frame.memory = {
      bytes: frame.memory.bytes.slice(),
      written: frame.memory.written.slice(),
    };
    frame.ownMemory = true;
  }
  return frame.memory;
}

const NO_BYTES: Bytes = { bytes: new Uint8Array(0), written: new Uint8Array(0) };

/** A frame above all others, its registers and memory unwritten. */
export function createFrame(
  working: { readonly frames: readonly WorkingFrame[] },
  code: CompiledFunction,
  result: CallResult,
): WorkingFrame {
  const top = working.frames[working.frames.length - 1];
  const end = top === undefined ? 0 : top.base + top.function.frameSize;
  const size = code.frameSize;
  return {
    function: code,
    pc: 0,
    registers: code.registers.slice(),
    own: true,
    base: (end + 15) & ~15,
    memory: size === 0 ? NO_BYTES : { bytes: new Uint8Array(size), written: new Uint8Array(size) },
    ownMemory: true,
    result,
  };
}

/** Makes the bytes of an object writable. */
export function ownObject(working: Working, key: string): Bytes | undefined {
  if (working.ownObjects === null) {
    working.objects = new Map(working.objects);
    working.ownObjects = new Set();
  }
  const object = working.objects.get(key);
  if (object === undefined || working.ownObjects.has(key)) return object;
  const copy = { bytes: object.bytes.slice(), written: object.written.slice() };
  working.objects.set(key, copy);
  working.ownObjects.add(key);
  return copy;
}

/** Adds an object that is touched for the first time. */
export function addObject(working: Working, key: string, object: Bytes): void {
  if (working.ownObjects === null) {
    working.objects = new Map(working.objects);
    working.ownObjects = new Set();
  }
  working.objects.set(key, object);
  working.ownObjects.add(key);
}

/** Hands the working copy over as a state; it must not be worked on afterwards. */
export function freeze(working: Working): VmState {
  return {
    frames: working.frames.map(({ function: code, pc, registers, base, memory, result }) => ({
      function: code,
      pc,
      registers,
      base,
      memory,
      result,
    })),
    stackBase: working.stackBase,
    shared: working.shared,
    objects: working.objects,
    answers: working.answers,
  };
}

/** A text that is equal for equal states: frames, registers, stack and touched objects. */
export function fingerprint(state: VmState): string {
  const parts: string[] = [state.stackBase.toString(16)];
  for (const { function: code, pc, registers, base, memory } of state.frames) {
    parts.push(`${code.unit}:${code.name}@${pc}+${base}`);
    parts.push(registers.map((value) => (value === null ? '-' : value.toString(36))).join(','));
    parts.push(hex(memory));
  }
  for (const key of [...state.objects.keys()].sort()) {
    const object = state.objects.get(key);
    if (object !== undefined) parts.push(`${key}=${hex(object)}`);
  }
  for (const { values, label } of state.answers) parts.push(`${values.join(',')};${label ?? ''}`);
  return parts.join('|');
}

/** Texts of bytes that belong to a state, and so never change. */
const HEX = new WeakMap<Bytes, string>();

function hex(of: Bytes): string {
  const known = HEX.get(of);
  if (known !== undefined) return known;
  const { bytes, written } = of;
  let text = '';
  for (let i = 0; i < bytes.length; i++) {
    text += written[i] === 1 ? (bytes[i] ?? 0).toString(16).padStart(2, '0') : '..';
  }
  HEX.set(of, text);
  return text;
}
