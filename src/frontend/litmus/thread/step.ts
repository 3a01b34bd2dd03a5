import type { Answer } from '../../../program/effect.ts';
import type { Expr } from '../../../program/expr.ts';
import { aluFunction, flagsFunction } from '../assembly/alu.ts';
import { codeAddressOf } from './code-address.ts';
import { END_TEXT } from '../assembly/code.ts';
import type { Instruction } from '../assembly/instruction.ts';
import { advance, ask, isOne, type Step, type StepInput } from './step-basics.ts';
import { stepAccess } from './step-access.ts';
import { stepSelect, stepCompare } from './step-select.ts';
import type { ThreadProgram } from './thread-program.ts';
import { jumpTo, NO_PHASE, withRegister, withSystem, type ThreadState } from './thread-state.ts';
import { cut, readCondition, readOperand, readRegister, readTest } from './values.ts';

/** One step of a thread. */
export function step(program: ThreadProgram, state: ThreadState): Step {
  const slot = program.code.slots[state.pc];
  if (state.status === 'ended' || slot === undefined) return { kind: 'end' };
  const input: StepInput = { program, state, slot };
  if (state.status === 'stuck') {
    return ask(input, { kind: 'choose', options: 0 }, (next) => next);
  }
  switch (state.phase.kind) {
    case 'enter':
      return stepEntry(input, state.phase);
    case 'return':
      return ask(input, { kind: 'exception-return', toEl: state.phase.toEl }, (next) => ({
        ...next,
        phase: NO_PHASE,
      }));
    case 'compare':
    case 'matched':
      return stepCompare(input, state.phase);
    case 'none':
    case 'pieces':
      break;
  }
  if (slot.text === END_TEXT) return { kind: 'end' };
  return stepInstruction(input, slot.instruction);
}

function silent(state: ThreadState): Step {
  return { kind: 'silent', state };
}

function stepEntry(
  input: StepInput,
  phase: { readonly toEl: 1 | 2; readonly after: 'handler' | 'return' | 'end' },
): Step {
  return ask(input, { kind: 'exception-entry', toEl: phase.toEl }, (state) => {
    switch (phase.after) {
      case 'handler':
        return { ...state, phase: NO_PHASE };
      case 'return':
        return { ...state, phase: { kind: 'return', toEl: 0 } };
      case 'end':
        return { ...state, phase: NO_PHASE, status: 'ended' };
    }
  });
}

function stepInstruction(input: StepInput, instruction: Instruction): Step {
  const { program, state } = input;
  const { table } = program;
  switch (instruction.kind) {
    case 'nop':
      return silent(advance(state));
    case 'compute':
      return silent(advance(compute(input, instruction)));
    case 'address-of': {
      const value = program.addressOf(instruction.symbol) ?? 0n;
      const address = instruction.page ? value & ~0xfffn : value;
      return silent(advance(withRegister(state, instruction.dest, table.constant(address))));
    }
    case 'select':
      return stepSelect(input, instruction);
    case 'conditional-compare': {
      const set = flagsFunction(instruction.compare, instruction.width);
      const otherwise = instruction.otherwise;
      const { width, compare, left, right } = instruction;
      const flags = table.apply(
        `ccmp-${compare}${width},${otherwise}`,
        ([holds = 0n, ...operands]) => (holds === 1n ? set(operands) : otherwise),
        [
          readCondition(table, state, instruction.condition),
          cut(table, readRegister(table, state, left), width),
          readOperand(table, state, right, width),
        ],
      );
      return silent(advance({ ...state, flags }));
    }
    case 'branch':
    case 'branch-register':
      return stepBranch(input, instruction);
    case 'load':
    case 'store':
    case 'rmw':
      return stepAccess(input, instruction);
    case 'dmb':
    case 'dsb':
    case 'isb':
      return ask(input, instruction, advance);
    case 'tlbi': {
      const operand = readRegister(table, state, instruction.operand);
      return ask(input, { ...instruction, operand, intendedVmid: null }, advance);
    }
    case 'translate-address':
      return stepAddressTranslation(input, instruction);
    case 'dc':
    case 'ic':
      return stepCacheMaintenance(input, instruction);
    case 'read-system': {
      const value =
        instruction.system === 'NZCV'
          ? table.apply('flags-out', ([flags = 0n]) => flags << 28n, [state.flags])
          : (state.system.get(instruction.system) ?? table.constant(0n));
      return silent(advance(withRegister(state, instruction.dest, value)));
    }
    case 'write-system':
      return stepSystemWrite(
        input,
        instruction.system,
        readOperand(table, state, instruction.source, 64),
      );
    case 'call': {
      const { to, immediate } = instruction;
      return silent(program.takeException(state, { kind: to, immediate }));
    }
    case 'undefined':
      return silent(program.takeException(state, { kind: 'undefined' }));
    case 'exception-return':
      return silent(program.returnFromException(state));
  }
}

function compute(
  { program: { table }, state }: StepInput,
  instruction: Extract<Instruction, { kind: 'compute' }>,
): ThreadState {
  const { op, width, flags } = instruction;
  const operands = instruction.operands.map((operand) => readOperand(table, state, operand, width));
  const first = operands[0];
  const value =
    op === 'move' && first !== undefined
      ? first
      : table.apply(`${op}${width}`, aluFunction(op, width), operands);
  const written = withRegister(state, instruction.dest, value);
  if (flags === 'none') return written;
  const flagOperands = flags === 'logic' ? [value] : operands;
  const set = table.apply(`flags-${flags}${width}`, flagsFunction(flags, width), flagOperands);
  return { ...written, flags: set };
}

function stepBranch(
  input: StepInput,
  instruction: Extract<Instruction, { kind: 'branch' | 'branch-register' }>,
): Step {
  const { program, state, slot } = input;
  const { table } = program;
  const linked = instruction.link
    ? withRegister(state, 30, table.constant(slot.address + 4n))
    : state;
  if (instruction.kind === 'branch-register') {
    return silent(jump(program, linked, readRegister(table, state, instruction.register)));
  }
  const taken = (from: ThreadState): ThreadState => jumpTo(from, state.pc, slot.target);
  if (instruction.test === null) return silent(taken(linked));
  const condition = readTest(table, state, instruction.test);
  if (condition.kind === 'const') {
    // herd7 unrolls loops whose branches are decided without limit.
    return silent(condition.value === 0n ? advance(state) : { ...state, pc: slot.target });
  }
  return ask(input, { kind: 'branch', condition }, (next, answer) =>
    isOne(answer) ? taken(next) : advance(next),
  );
}

/** The state at a code address. Gives up on one that depends on a load: threads are trees of effects. */
function jump(program: ThreadProgram, state: ThreadState, target: Expr): ThreadState {
  const address = codeAddressOf(program.code, state.pc, target);
  const pc = program.code.slotAt(address);
  return pc === undefined ? { ...state, status: 'ended' } : { ...state, pc };
}

/** PAR_EL1, RES1 and F. */
const PAR = { res1: 0x800n, failed: 1n } as const;

/** An address translation instruction: PAR_EL1 gets the page, or F. Other fields of it read as 0. */
function stepAddressTranslation(
  input: StepInput,
  { address, access, unprivileged }: Extract<Instruction, { kind: 'translate-address' }>,
): Step {
  const { program, state } = input;
  const { table } = program;
  const at = program.place(readRegister(table, state, address), state.el, unprivileged);
  const failed = table.constant(PAR.res1 | PAR.failed);
  const found = table.apply('par', ([pa = 0n]) => ((pa >> 12n) << 12n) | PAR.res1, [
    table.result(state.count),
  ]);
  return ask(
    input,
    {
      kind: 'load',
      at,
      bytes: 8,
      order: 'plain',
      translatesFor: access,
      exclusive: false,
      wanted: false,
    },
    (next, answer) =>
      advance(withSystem(next, 'PAR_EL1', answer.kind === 'fault' ? failed : found)),
  );
}

function stepCacheMaintenance(
  input: StepInput,
  instruction: Extract<Instruction, { kind: 'dc' | 'ic' }>,
): Step {
  const { program, state } = input;
  const at = program.place(
    readRegister(program.table, state, instruction.address),
    state.el,
    false,
  );
  const resume = (next: ThreadState, answer: Answer): ThreadState =>
    answer.kind === 'fault'
      ? program.takeException(next, { kind: 'fault', fault: answer.fault })
      : advance(next);
  if (instruction.kind === 'dc') return ask(input, { kind: 'dc', op: instruction.op, at }, resume);
  return instruction.op === 'ivau'
    ? ask(input, { kind: 'ic', op: instruction.op, at }, resume)
    : ask(input, { kind: 'ic', op: instruction.op }, resume);
}

function stepSystemWrite(input: StepInput, system: string, value: Expr): Step {
  const { program, state } = input;
  if (system === 'NZCV') {
    const flags = program.table.apply('flags-in', ([word = 0n]) => (word >> 28n) & 15n, [value]);
    return silent(advance({ ...state, flags }));
  }
  const written = withSystem(state, system, value);
  const change = value.kind === 'const' ? program.contextChange(system, value.value, state) : null;
  if (change === null) return silent(advance(written));
  return ask({ ...input, state: written }, { kind: 'context', change }, advance);
}
