import type { BarrierDomain, BarrierLimit, Ordering } from '../../../program/effect.ts';
import type { AluOp, Condition, Width } from './alu.ts';

/** Number of a general register: 0..30, `ZR` or `SP`. */
export type Register = number;

/** XZR and WZR: reads as zero, writes are dropped. */
export const ZR: Register = 31;
/** The stack pointer: an ordinary register for us. */
export const SP: Register = 32;
/** How many numbers there are. */
export const REGISTER_COUNT = 33;

/** The memory access sizes. */
export type Bytes = 1 | 2 | 4 | 8;

/** What can happen to a register operand before it is used: a shift, or an extension and a shift. */
export const MODIFIER_KINDS = [
  'lsl',
  'lsr',
  'asr',
  'ror',
  'uxtb',
  'uxth',
  'uxtw',
  'uxtx',
  'sxtb',
  'sxth',
  'sxtw',
  'sxtx',
] as const;

/** What happens to a register operand before it is used. */
export interface Modifier {
  readonly kind: (typeof MODIFIER_KINDS)[number];
  readonly amount: number;
}

/** A source operand. */
export type Operand =
  | { readonly kind: 'immediate'; readonly value: bigint }
  | { readonly kind: 'register'; readonly register: Register; readonly modifier: Modifier | null };

/** An address operand. */
export interface AddressOperand {
  readonly base: Register;
  readonly offset: Operand | null;
  /** Whether and when the base is updated. */
  readonly index: 'none' | 'pre' | 'post';
}

/** What a conditional branch tests. */
export type Test =
  | { readonly kind: 'flags'; readonly condition: Condition }
  | {
      readonly kind: 'zero';
      readonly register: Register;
      readonly width: Width;
      readonly negate: boolean;
    }
  | {
      readonly kind: 'bit';
      readonly register: Register;
      readonly bit: number;
      readonly negate: boolean;
    };

/** Read-modify-write operations; `cas` compares with `compare` first. */
export type RmwOp =
  'add' | 'clr' | 'eor' | 'set' | 'smax' | 'smin' | 'umax' | 'umin' | 'swp' | 'cas';

/** One decoded instruction, or one access of a pair instruction. */
export type Instruction =
  | { readonly kind: 'nop' }
  | {
      readonly kind: 'compute';
      readonly op: AluOp;
      readonly width: Width;
      readonly dest: Register;
      readonly operands: readonly Operand[];
      readonly flags: 'none' | 'add' | 'sub' | 'logic';
    }
  /** A label's or variable's address. */
  | {
      readonly kind: 'address-of';
      readonly dest: Register;
      readonly symbol: string;
      readonly page: boolean;
    }
  | {
      /** CSEL, CSINC, CSINV, CSNEG and their aliases: `no` is changed by `change`. */
      readonly kind: 'select';
      readonly width: Width;
      readonly dest: Register;
      readonly yes: Register;
      readonly no: Register;
      readonly change: 'none' | 'inc' | 'inv' | 'neg';
      readonly condition: Condition;
    }
  | {
      /** CCMP, CCMN. */
      readonly kind: 'conditional-compare';
      readonly width: Width;
      readonly compare: 'add' | 'sub';
      readonly left: Register;
      readonly right: Operand;
      readonly otherwise: bigint;
      readonly condition: Condition;
    }
  | {
      readonly kind: 'branch';
      readonly test: Test | null;
      readonly target: string;
      readonly link: boolean;
    }
  | { readonly kind: 'branch-register'; readonly register: Register; readonly link: boolean }
  | {
      readonly kind: 'load';
      readonly dest: Register;
      readonly bytes: Bytes;
      readonly signExtendTo: Width | null;
      readonly address: AddressOperand;
      readonly order: Ordering;
      readonly exclusive: boolean;
      readonly unprivileged: boolean;
    }
  | {
      readonly kind: 'store';
      readonly source: Register;
      readonly bytes: Bytes;
      readonly address: AddressOperand;
      readonly order: Ordering;
      /** Register that a store-exclusive reports to; null for ordinary stores. */
      readonly status: Register | null;
      readonly unprivileged: boolean;
    }
  | {
      readonly kind: 'rmw';
      readonly op: RmwOp;
      readonly bytes: Bytes;
      readonly source: Register;
      /** Where the old value goes. */
      readonly dest: Register;
      /** CAS only: what the old value is compared with (the same register as `dest`). */
      readonly address: AddressOperand;
      readonly acquire: boolean;
      readonly release: boolean;
    }
  | { readonly kind: 'dmb'; readonly limit: BarrierLimit }
  | {
      readonly kind: 'dsb';
      readonly limit: BarrierLimit;
      readonly domain: BarrierDomain;
      readonly nXS: boolean;
    }
  | { readonly kind: 'isb' }
  | { readonly kind: 'tlbi'; readonly op: string; readonly operand: Register }
  | {
      readonly kind: 'dc';
      readonly op: 'civac' | 'cvac' | 'ivac' | 'cvau';
      readonly address: Register;
    }
  | { readonly kind: 'ic'; readonly op: 'iallu' | 'ialluis' | 'ivau'; readonly address: Register }
  /** AT S1E0R and its kind: `unprivileged` asks for EL0. */
  | {
      readonly kind: 'translate-address';
      readonly address: Register;
      readonly access: 'read' | 'write';
      readonly unprivileged: boolean;
    }
  | { readonly kind: 'read-system'; readonly dest: Register; readonly system: string }
  | { readonly kind: 'write-system'; readonly system: string; readonly source: Operand }
  | { readonly kind: 'call'; readonly to: 'svc' | 'hvc'; readonly immediate: bigint }
  | { readonly kind: 'undefined' }
  | { readonly kind: 'exception-return' };

/** The general registers an instruction reads, XZR included. */
export function readsOf(instruction: Instruction): readonly Register[] {
  switch (instruction.kind) {
    case 'compute':
      return instruction.operands.flatMap(operandReads);
    case 'select':
      return [instruction.yes, instruction.no];
    case 'conditional-compare':
      return [instruction.left, ...operandReads(instruction.right)];
    case 'branch':
      return instruction.test === null || instruction.test.kind === 'flags'
        ? []
        : [instruction.test.register];
    case 'branch-register':
      return [instruction.register];
    case 'load':
      return addressReads(instruction.address);
    case 'store':
      return [instruction.source, ...addressReads(instruction.address)];
    case 'rmw':
      return [
        instruction.source,
        ...(instruction.op === 'cas' ? [instruction.dest] : []),
        ...addressReads(instruction.address),
      ];
    case 'tlbi':
      return [instruction.operand];
    case 'dc':
    case 'ic':
    case 'translate-address':
      return [instruction.address];
    case 'write-system':
      return operandReads(instruction.source);
    case 'nop':
    case 'address-of':
    case 'dmb':
    case 'dsb':
    case 'isb':
    case 'read-system':
    case 'call':
    case 'undefined':
    case 'exception-return':
      return [];
  }
}

function operandReads(operand: Operand): readonly Register[] {
  return operand.kind === 'register' ? [operand.register] : [];
}

function addressReads(address: AddressOperand): readonly Register[] {
  return [address.base, ...(address.offset === null ? [] : operandReads(address.offset))];
}
