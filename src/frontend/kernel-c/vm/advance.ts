import { attempt, type Diagnostic, FrontendError } from '../diagnostic.ts';
import type { CompiledFunction, Instruction } from '../lower/bytecode.ts';
import { dropDead } from '../lower/liveness.ts';
import type { TokenOrigin } from '../preprocess/token-stream.ts';
import type { Answer, VmEvent } from './event.ts';
import { type Run, stop, Waiting } from './access.ts';
import { step } from './execute.ts';
import {
  compiled,
  findFunction,
  liveness,
  placeOf,
  type Program,
  reachedCode,
  type ReachedCode,
} from './program.ts';
import { freeze, thaw, type VmState, type WorkingFrame } from './state.ts';

/** How a thread stopped: asking, finished, or at something that is not understood. */
export type Advance =
  | { readonly kind: 'event'; readonly event: VmEvent; readonly state: VmState }
  | { readonly kind: 'finished'; readonly value: bigint | null; readonly state: VmState }
  | {
      readonly kind: 'stopped';
      readonly diagnostic: Diagnostic;
      readonly stack: readonly StackEntry[];
    };

export interface StackEntry {
  readonly function: string;
  readonly origin: TokenOrigin;
}

export interface ThreadOptions {
  /** Address of the thread's stack; threads that run together need different ones. */
  readonly stackBase?: bigint;
}

const STACK_BASE = 0xffff_c000_0000_0000n;

/** A thread about to call a function of the program with scalar arguments. */
export function startThread(
  program: Program,
  unit: number,
  name: string,
  args: readonly bigint[],
  options: ThreadOptions = {},
): Advance {
  const stackBase = options.stackBase ?? STACK_BASE;
  const empty: VmState = {
    frames: [],
    stackBase,
    objects: new Map(),
    shared: [],
    answers: [],
  };
  const call = callFrom(program, unit, name, args, empty);
  return call.kind === 'ready' ? advance(program, call.state, null) : call.stopped;
}

/**
 * The same thread calling the next function: objects of file scope keep their values. The state must be
 * that of a finished call.
 */
export function continueThread(
  program: Program,
  unit: number,
  name: string,
  args: readonly bigint[],
  state: VmState,
): Advance {
  const call = callFrom(program, unit, name, args, state);
  return call.kind === 'ready' ? advance(program, call.state, null) : call.stopped;
}

type Prepared =
  | { readonly kind: 'ready'; readonly state: VmState }
  | { readonly kind: 'stopped'; readonly stopped: Advance };

function callFrom(
  program: Program,
  unit: number,
  name: string,
  args: readonly bigint[],
  state: VmState,
): Prepared {
  const stopped = (message: string): Prepared => ({
    kind: 'stopped',
    stopped: {
      kind: 'stopped',
      diagnostic: { kind: 'diagnostic', file: '<thread>', line: 0, column: 0, message },
      stack: [],
    },
  });
  const lowered = attempt(() => compiled(program, findFunction(program, unit, name)));
  if (lowered.kind === 'failed') {
    const { diagnostic } = lowered;
    return { kind: 'stopped', stopped: { kind: 'stopped', diagnostic, stack: [] } };
  }
  const code = lowered.value;
  if (code === null) return stopped(`no unit has a body for ${name}, or it is intercepted`);
  if (code.parameters.length !== args.length) {
    return stopped(`${name} takes ${code.parameters.length} arguments, ${args.length} given`);
  }
  if (code.frameSize > 1 << 20) {
    return stopped(`the variables of ${name} take ${code.frameSize} bytes`);
  }
  const registers: (bigint | null)[] = code.registers.slice();
  const bytes = new Uint8Array(code.frameSize);
  const written = new Uint8Array(code.frameSize);
  for (let i = 0; i < args.length; i++) {
    const parameter = code.parameters[i];
    const value = args[i] ?? 0n;
    if (parameter?.kind === 'register') {
      const width = parameter.shape.size * 8;
      registers[parameter.register] = parameter.shape.signed
        ? BigInt.asIntN(width, value)
        : BigInt.asUintN(width, value);
    } else if (parameter !== undefined) {
      for (let k = 0; k < parameter.size; k++) {
        bytes[parameter.offset + k] = Number((value >> BigInt(8 * k)) & 0xffn);
        written[parameter.offset + k] = 1;
      }
    }
  }
  const memory = { bytes, written };
  const frame = {
    function: code,
    pc: 0,
    registers,
    base: 0,
    memory,
    result: { kind: 'none' },
  } as const;
  return {
    kind: 'ready',
    state: { ...state, frames: [frame], answers: [] },
  };
}

/**
 * Runs a thread up to its next event. `answer` belongs to the event it stopped at, `null` at first.
 * Events that `respond` has an answer to are no stops: the thread goes on with it at once.
 */
export function advance(
  program: Program,
  state: VmState,
  answer: Answer | null,
  respond: (event: VmEvent) => Answer | null = () => null,
): Advance {
  const working = thaw(state);
  if (answer !== null) {
    working.answers = [...working.answers, { values: answer.values, label: answer.label ?? null }];
  }
  const run: Run = { program, working, finished: null, step };
  let noted: CompiledFunction | null = null;
  let notes: ReachedCode | null = null;
  try {
    for (let { fuel } = program.options; fuel > 0; fuel--) {
      const frame = working.frames[working.frames.length - 1];
      if (frame === undefined) break;
      const instruction = frame.function.code[frame.pc];
      if (instruction === undefined)
        throw stop(run, frame, 0, 'the code of this function ends early');
      if (fuel === 1) {
        throw stop(
          run,
          frame,
          instruction.at,
          `no event in ${program.options.fuel} steps: this loop may never end`,
        );
      }
      working.used = 0;
      if (noted !== frame.function || notes === null) {
        noted = frame.function;
        notes = reachedCode(program, noted);
      }
      const { pc } = frame;
      notes.instructions[pc] = 1;
      if (!answered(run, frame, instruction, respond)) continue;
      if (instruction.op === 'branch') {
        const outcome = frame.pc === instruction.yes ? 1 : 2;
        notes.outcomes[pc] = (notes.outcomes[pc] ?? 0) | outcome;
      }
      if (working.answers.length > 0) working.answers = [];
    }
  } catch (error) {
    if (error instanceof Waiting) {
      const top = working.frames[working.frames.length - 1];
      if (top !== undefined) {
        const live = liveness(program, top.function);
        dropDead(top.registers, live, live.before, top.pc);
      }
    }
    if (error instanceof Waiting) {
      return { kind: 'event', event: error.event, state: freeze(working) };
    }
    if (!(error instanceof FrontendError)) throw error;
    const frozen = freeze(working);
    return { kind: 'stopped', diagnostic: error.diagnostic, stack: stackOf(program, frozen) };
  }
  return { kind: 'finished', value: run.finished?.value ?? null, state: freeze(working) };
}

/**
 * One step; false when it asked for something, was given an answer at once and has to be tried again.
 */
function answered(
  run: Run,
  frame: WorkingFrame,
  instruction: Instruction,
  respond: (event: VmEvent) => Answer | null,
): boolean {
  try {
    step(run, frame, instruction);
    return true;
  } catch (error) {
    if (!(error instanceof Waiting)) throw error;
    const { program, working } = run;
    const given = respond(error.event);
    if (error.event.kind === 'call') program.handedOut.add(error.event.name);
    if (given === null) throw error;
    working.answers = [...working.answers, { values: given.values, label: given.label ?? null }];
    return false;
  }
}

/** The calls that are open, innermost first, each with the place it has reached. */
export function stackOf(program: Program, state: VmState): readonly StackEntry[] {
  return state.frames
    .map(({ function: code, pc }) => ({
      function: code.name,
      origin: placeOf(program, { unit: code.unit, token: code.code[pc]?.at ?? 0 }),
    }))
    .reverse();
}
