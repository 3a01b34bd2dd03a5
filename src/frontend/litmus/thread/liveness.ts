import { END_TEXT, type Code, type CodeSlot } from '../assembly/code.ts';
import { readsOf, REGISTER_COUNT, ZR, type Instruction } from '../assembly/instruction.ts';

/** What of a thread's registers may still be read, before each of its instructions. */
export interface Liveness {
  general(pc: number, register: number): boolean;
  flags(pc: number): boolean;
  system(pc: number, name: string): boolean;
  /** Whether the analysis knew that a jump, exception or return at `from` can lead to `to`. */
  foresaw(from: number, to: number): boolean;
}

/** System registers that an exception writes anew: only these are ever found to be dead. */
const BANKED = /^(ESR|ELR|SPSR|FAR)_EL[12]$|^HPFAR_EL2$/;
/** Those of them that every exception to EL2 writes, whatever its cause. */
const WRITTEN_ON_ENTRY = ['ESR_EL2', 'ELR_EL2', 'SPSR_EL2'];
const READ_ON_RETURN = ['ELR_EL1', 'ELR_EL2', 'SPSR_EL1', 'SPSR_EL2'];

const FLAGS = REGISTER_COUNT;

/**
 * The usual backward analysis over the code of a thread. It errs towards "may be read": every access
 * and call may take an exception to the start of every other block, or be skipped by one; a return or
 * a jump through a register may lead to every instruction that can be its target. `observed` are the
 * registers that the test shows at its end.
 *
 * A register of EL2 is dead when an exception is taken that is not returned from: EL2 is entered in
 * no other way, and the entry writes it.
 */
export function livenessOf(code: Code, observed: ReadonlySet<number>): Liveness {
  const { slots } = code;
  const names = systemNames(slots);
  const bit = (name: string): bigint => {
    const index = names.indexOf(name);
    return index < 0 ? 0n : 1n << BigInt(FLAGS + 1 + index);
  };
  const bits = (of: readonly string[]): bigint => of.reduce((mask, name) => mask | bit(name), 0n);
  const always = [...observed].reduce((mask, register) => mask | (1n << BigInt(register)), 0n);
  const onEntry = ~bits(WRITTEN_ON_ENTRY);
  const onReturn = bits(READ_ON_RETURN);
  const handlers = code.starts.slice(1);
  const targets = returnTargets(code);
  const live: bigint[] = slots.map(() => always);
  const at = (pc: number): bigint => live[pc] ?? always;
  const all = (of: readonly number[]): bigint => of.reduce((mask, pc) => mask | at(pc), always);

  for (let changed = true; changed;) {
    changed = false;
    const entered = all(handlers) & onEntry;
    const returned = all(targets);
    for (let pc = slots.length - 1; pc >= 0; pc -= 1) {
      const slot = slots[pc] as CodeSlot;
      const next = before(slot, pc, entered, returned);
      if (next === live[pc]) continue;
      live[pc] = next;
      changed = true;
    }
  }

  function before(slot: CodeSlot, pc: number, entered: bigint, returned: bigint): bigint {
    const { instruction, text } = slot;
    if (text === END_TEXT) return always;
    let reads = always;
    for (const register of readsOf(instruction)) {
      if (register !== ZR) reads |= 1n << BigInt(register);
    }
    if (readsFlags(instruction)) reads |= 1n << BigInt(FLAGS);
    const behind = at(pc + 1) & ~writtenBy(instruction);
    switch (instruction.kind) {
      case 'branch':
        return reads | at(slot.target) | (instruction.test === null ? 0n : at(pc + 1));
      case 'branch-register':
        return reads | returned;
      case 'exception-return':
        return reads | returned | onReturn;
      case 'read-system':
        return reads | behind | bit(instruction.system);
      case 'write-system':
        return reads | (behind & ~bit(instruction.system));
      default:
        return mayTrap(instruction) ? reads | at(pc + 1) | entered : reads | behind;
    }
  }

  const test = (pc: number, index: bigint): boolean => ((at(pc) >> index) & 1n) === 1n;
  return {
    general: (pc, register) => test(pc, BigInt(register)),
    flags: (pc) => test(pc, BigInt(FLAGS)),
    system(pc, name) {
      if (!BANKED.test(name)) return true;
      const index = names.indexOf(name);
      return index >= 0 && test(pc, BigInt(FLAGS + 1 + index));
    },
    foresaw: (from, to) =>
      to === from || to === from + 1 || targets.includes(to) || handlers.includes(to),
  };
}

function systemNames(slots: readonly CodeSlot[]): readonly string[] {
  const read = slots.flatMap(({ instruction }) => {
    if (instruction.kind === 'read-system') return [instruction.system];
    return instruction.kind === 'exception-return' ? READ_ON_RETURN : [];
  });
  return [...new Set(read)].filter((name) => BANKED.test(name));
}

/**
 * Where a return from an exception or a jump through a register can lead: anywhere in the main code;
 * elsewhere to labels, behind calls, and to what takes exceptions. Threads give up on other targets.
 */
function returnTargets({ slots }: Code): readonly number[] {
  const targets = new Set<number>();
  slots.forEach(({ instruction, labels, block }, pc) => {
    const { kind } = instruction;
    const calls = (kind === 'branch' || kind === 'branch-register') && instruction.link;
    if (block === 0 || labels.length > 0 || mayTrap(instruction)) targets.add(pc);
    if (calls || mayTrap(instruction)) targets.add(pc + 1);
  });
  return [...targets];
}

function mayTrap({ kind }: Instruction): boolean {
  switch (kind) {
    case 'load':
    case 'store':
    case 'rmw':
    case 'dc':
    case 'ic':
    case 'call':
    case 'undefined':
      return true;
    default:
      return false;
  }
}

function readsFlags(instruction: Instruction): boolean {
  switch (instruction.kind) {
    case 'select':
    case 'conditional-compare':
      return true;
    case 'branch':
      return instruction.test?.kind === 'flags';
    case 'read-system':
      return instruction.system === 'NZCV';
    default:
      return false;
  }
}

/** General registers and flags that hold nothing of before once the instruction is done. */
function writtenBy(instruction: Instruction): bigint {
  const register = (number: number): bigint => (number === ZR ? 0n : 1n << BigInt(number));
  switch (instruction.kind) {
    case 'compute':
      return register(instruction.dest) | (instruction.flags === 'none' ? 0n : 1n << BigInt(FLAGS));
    case 'address-of':
    case 'select':
    case 'read-system':
      return register(instruction.dest);
    default:
      return 0n;
  }
}
