import type { CallResult, CompiledFunction } from '../lower/bytecode.ts';

/**
 * The whole state of a host thread, as plain data: it can be copied, compared and kept. Code is named,
 * not contained, apart from the reference in each frame that is found again by unit and name.
 */
export interface VmState {
  readonly frames: readonly Frame[];
  /** Bytes of the stack in use, lowest first. */
  readonly stack: Bytes;
  /** Where the stack stands in the address space; each thread has its own. */
  readonly stackBase: bigint;
  /** The bytes of the objects of file scope that were touched so far. */
  readonly objects: ReadonlyMap<string, Bytes>;
  /** Answers to the events of the instruction that is waiting, in order. */
  readonly answers: readonly AnswerSoFar[];
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
  /** What the caller does with the result. */
  readonly result: CallResult;
}

export interface Bytes {
  readonly bytes: Uint8Array;
  /** 1 for each byte that was written; reading another stops the run. */
  readonly written: Uint8Array;
}

/** The state as it is worked on inside `advance`. */
export interface Working {
  frames: WorkingFrame[];
  stack: { bytes: Uint8Array; written: Uint8Array };
  stackUsed: number;
  stackBase: bigint;
  objects: Map<string, Bytes>;
  answers: readonly AnswerSoFar[];
  /** Answers of the waiting instruction that were used up in this attempt. */
  used: number;
}

export interface WorkingFrame {
  readonly function: CompiledFunction;
  pc: number;
  readonly registers: (bigint | null)[];
  readonly base: number;
  readonly result: CallResult;
}

export function thaw(state: VmState): Working {
  const room = state.stack.bytes.length + 4096;
  const bytes = new Uint8Array(room);
  bytes.set(state.stack.bytes);
  const written = new Uint8Array(room);
  written.set(state.stack.written);
  return {
    frames: state.frames.map((frame) => ({ ...frame, registers: [...frame.registers] })),
    stack: { bytes, written },
    stackUsed: state.stack.bytes.length,
    stackBase: state.stackBase,
    objects: new Map(
      Array.from(state.objects, ([key, object]) => [
        key,
        { bytes: object.bytes.slice(), written: object.written.slice() },
      ]),
    ),
    answers: state.answers,
    used: 0,
  };
}

export function freeze(working: Working): VmState {
  return {
    frames: working.frames.map((frame) => ({ ...frame, registers: [...frame.registers] })),
    stack: {
      bytes: working.stack.bytes.slice(0, working.stackUsed),
      written: working.stack.written.slice(0, working.stackUsed),
    },
    stackBase: working.stackBase,
    objects: new Map(working.objects),
    answers: working.answers,
  };
}

/** A text that is equal for equal states: frames, registers, stack and touched objects. */
export function fingerprint(state: VmState): string {
  const parts: string[] = [state.stackBase.toString(16)];
  for (const { function: code, pc, registers, base } of state.frames) {
    parts.push(`${code.unit}:${code.name}@${pc}+${base}`);
    parts.push(registers.map((value) => (value === null ? '-' : value.toString(36))).join(','));
  }
  parts.push(hex(state.stack));
  for (const key of [...state.objects.keys()].sort()) {
    const object = state.objects.get(key);
    if (object !== undefined) parts.push(`${key}=${hex(object)}`);
  }
  for (const { values, label } of state.answers) parts.push(`${values.join(',')};${label ?? ''}`);
  return parts.join('|');
}

function hex({ bytes, written }: Bytes): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) {
    text += written[i] === 1 ? (bytes[i] ?? 0).toString(16).padStart(2, '0') : '..';
  }
  return text;
}
