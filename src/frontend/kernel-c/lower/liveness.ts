import type { CompiledFunction, Instruction } from './bytecode.ts';

/**
 * Which registers still matter, for each instruction of a function: bit `r` of `before[pc]` says that
 * the value of register `r` may be read at `pc` or later. Values nobody will read again are dropped from
 * states, so that threads which differ only in them are the same thread.
 */
export interface Liveness {
  readonly words: number;
  /** `words` integers per instruction: registers read at it or after it. */
  readonly before: Uint32Array;
  /** The same without what the instruction itself reads and writes: for a call that is under way. */
  readonly during: Uint32Array;
}

export function livenessOf({ code, registers }: CompiledFunction): Liveness {
  const words = Math.max(1, (registers.length + 31) >> 5);
  const before = new Uint32Array(words * code.length);
  const during = new Uint32Array(words * code.length);
  const flow = code.map((instruction, pc) => ({
    reads: readsOf(instruction),
    writes: writesOf(instruction),
    next: successorsOf(instruction, pc),
  }));
  let changed = true;
  while (changed) {
    changed = false;
    for (let pc = code.length - 1; pc >= 0; pc--) {
      const step = flow[pc];
      if (step !== undefined && update(step, pc, words, before, during)) changed = true;
    }
  }
  return { words, before, during };
}

/** Forgets the registers that do not matter. */
export function dropDead(
  registers: (bigint | null)[],
  { words }: Liveness,
  live: Uint32Array,
  pc: number,
): void {
  const base = pc * words;
  for (let r = 0; r < registers.length; r++) {
    if ((((live[base + (r >> 5)] ?? 0) >>> (r & 31)) & 1) === 0) registers[r] = null;
  }
}

function update(
  step: {
    readonly reads: readonly number[];
    readonly writes: readonly number[];
    readonly next: readonly number[];
  },
  pc: number,
  words: number,
  before: Uint32Array,
  during: Uint32Array,
): boolean {
  const base = pc * words;
  for (const next of step.next) {
    for (let w = 0; w < words; w++) {
      during[base + w] = (during[base + w] ?? 0) | (before[next * words + w] ?? 0);
    }
  }
  for (const r of step.writes) {
    const at = base + (r >> 5);
    during[at] = (during[at] ?? 0) & ~(1 << (r & 31));
  }
  let changed = false;
  for (let w = 0; w < words; w++) {
    const old = before[base + w] ?? 0;
    before[base + w] = old | (during[base + w] ?? 0);
    if (before[base + w] !== old) changed = true;
  }
  for (const r of step.reads) {
    const at = base + (r >> 5);
    const old = before[at] ?? 0;
    before[at] = old | (1 << (r & 31));
    if (before[at] !== old) changed = true;
  }
  return changed;
}

function successorsOf(instruction: Instruction, pc: number): readonly number[] {
  if (instruction.op === 'jump') return [instruction.target];
  if (instruction.op === 'branch') return [instruction.yes, instruction.no];
  if (instruction.op === 'return' || instruction.op === 'stop') return [];
  if (instruction.op === 'switch') {
    return [instruction.otherwise, ...instruction.cases.map(({ target }) => target)];
  }
  if (instruction.op === 'asm') return [pc + 1, ...instruction.labels.map(({ target }) => target)];
  return [pc + 1];
}

function writesOf(instruction: Instruction): readonly number[] {
  if (instruction.op === 'call') {
    return instruction.result.kind === 'register' ? [instruction.result.to] : [];
  }
  if (instruction.op === 'asm') {
    return instruction.operands.flatMap(({ output }) => (output === null ? [] : [output.to]));
  }
  // In `copy`, `to` is the register of an address.
  return 'to' in instruction && instruction.op !== 'copy' ? [instruction.to] : [];
}

function readsOf(instruction: Instruction): readonly number[] {
  switch (instruction.op) {
    case 'constant':
    case 'symbol':
    case 'string':
    case 'frame':
    case 'unset':
    case 'jump':
    case 'stop':
      return [];
    case 'move':
    case 'convert':
      return [instruction.from];
    case 'unary':
    case 'offset':
      return [instruction.a];
    case 'binary':
      return [instruction.a, instruction.b];
    case 'load':
    case 'load-bits':
    case 'zero':
      return [instruction.address];
    case 'store':
    case 'store-bits':
      return [instruction.address, instruction.from];
    case 'copy':
      return [instruction.to, instruction.from];
    case 'branch':
      return [instruction.test];
    case 'switch':
      return [instruction.value];
    case 'call': {
      const { callee, result } = instruction;
      const reads = instruction.arguments.map((argument) =>
        argument.kind === 'scalar' ? argument.from : argument.address,
      );
      if (callee.kind === 'register') reads.push(callee.register);
      if (result.kind === 'memory') reads.push(result.address);
      return reads;
    }
    case 'return':
      if (instruction.value.kind === 'none') return [];
      return [
        instruction.value.kind === 'register' ? instruction.value.from : instruction.value.address,
      ];
    case 'asm':
      return instruction.operands.flatMap(({ input }) => (input === null ? [] : [input]));
    case 'builtin':
      return instruction.arguments;
    case 'memory':
      return instruction.arguments;
  }
}
