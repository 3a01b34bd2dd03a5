import { reject, type Position } from '../problem.ts';
import { CONDITIONS, type Condition, type Width } from './alu.ts';
import {
  MODIFIER_KINDS,
  SP,
  ZR,
  type AddressOperand,
  type Modifier,
  type Operand,
  type Register,
} from './instruction.ts';

/** One line of assembly, cut into mnemonic and operands. */
export interface Line {
  readonly at: Position;
  /** As written, for messages and reports. */
  readonly text: string;
  /** In upper case. */
  readonly mnemonic: string;
  readonly operands: readonly string[];
}

/** A register operand with the width its name says. */
export interface SizedRegister {
  readonly register: Register;
  readonly width: Width;
}

/** Cuts an instruction into mnemonic and operands. */
export function splitLine(text: string, at: Position): Line {
  const trimmed = text.trim();
  const match = /^(\S+)\s*(.*)$/s.exec(trimmed);
  const operands: string[] = [];
  let depth = 0;
  let current = '';
  for (const char of match?.[2] ?? '') {
    if (char === '[' || char === '(') depth += 1;
    if (char === ']' || char === ')') depth -= 1;
    if (char === ',' && depth === 0) {
      operands.push(current.trim());
      current = '';
    } else current += char;
  }
  if (current.trim() !== '') operands.push(current.trim());
  return { at, text: trimmed, mnemonic: (match?.[1] ?? '').toUpperCase(), operands };
}

/** Gives up on the instruction: what is written is not an instruction we can read. */
export function malformed(line: Line): never {
  return reject('syntax', line.at, `cannot read the operands of \`${line.text}\`.`);
}

/** Gives up on the instruction: we do not model it. */
export function unsupported(line: Line): never {
  return reject('unsupported', line.at, `the instruction \`${line.text}\` is not supported.`);
}

/** The number of a register name, or null. */
export function parseRegister(text: string): SizedRegister | null {
  const name = text.toUpperCase();
  const match = /^([XW])(\d{1,2})$/.exec(name);
  if (match !== null) {
    const register = Number(match[2]);
    return register <= 30 ? { register, width: match[1] === 'X' ? 64 : 32 } : null;
  }
  switch (name) {
    case 'XZR':
      return { register: ZR, width: 64 };
    case 'WZR':
      return { register: ZR, width: 32 };
    case 'SP':
      return { register: SP, width: 64 };
    case 'WSP':
      return { register: SP, width: 32 };
    case 'LR':
      return { register: 30, width: 64 };
    default:
      return null;
  }
}

/** The register operand at an index. */
export function register(line: Line, index: number): SizedRegister {
  return parseRegister(line.operands[index] ?? '') ?? malformed(line);
}

/** A number: decimal, hexadecimal, binary, negative, or `(a << b)`; with or without `#`. */
export function parseNumber(text: string): bigint | null {
  const bare = text.trim().replace(/^#\s*/, '');
  const shifted = /^\(\s*(.+?)\s*<<\s*(.+?)\s*\)$/.exec(bare);
  if (shifted !== null) {
    const value = parseNumber(shifted[1] ?? '');
    const amount = parseNumber(shifted[2] ?? '');
    return value === null || amount === null || amount < 0n || amount > 63n
      ? null
      : value << amount;
  }
  const match = /^(-?)(0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)$/.exec(bare);
  if (match === null) return null;
  const value = BigInt(match[2] ?? '0');
  return match[1] === '-' ? -value : value;
}

/** The number operand at an index. */
export function immediate(line: Line, index: number): bigint {
  return parseNumber(line.operands[index] ?? '') ?? malformed(line);
}

const MODIFIER = /^([a-z]+)(?:\s*(\S.*))?$/i;

function parseModifier(line: Line, text: string): Modifier {
  const match = MODIFIER.exec(text);
  const name = match?.[1]?.toLowerCase();
  const kind = MODIFIER_KINDS.find((known) => known === name) ?? malformed(line);
  const amount = match?.[2] === undefined ? 0n : (parseNumber(match[2]) ?? malformed(line));
  if (amount < 0n || amount > 63n) return malformed(line);
  return { kind, amount: Number(amount) };
}

function combine(line: Line, texts: readonly string[]): Operand {
  const [first = '', modifier, ...rest] = texts;
  if (rest.length > 0) return malformed(line);
  const source = parseRegister(first);
  if (source !== null) {
    const parsed = modifier === undefined ? null : parseModifier(line, modifier);
    return { kind: 'register', register: source.register, modifier: parsed };
  }
  const value = parseNumber(first) ?? malformed(line);
  if (modifier === undefined) return { kind: 'immediate', value };
  const { kind, amount } = parseModifier(line, modifier);
  return kind === 'lsl' ? { kind: 'immediate', value: value << BigInt(amount) } : malformed(line);
}

/** The last source operand, from an index on: a register with an optional modifier, or a number. */
export function source(line: Line, index: number): Operand {
  if (line.operands.length <= index) return malformed(line);
  return combine(line, line.operands.slice(index));
}

/** The address operand at an index, with a post-index behind it. */
export function address(line: Line, index: number): AddressOperand {
  const text = line.operands[index] ?? '';
  const match = /^\[(.*)\](!?)$/s.exec(text);
  if (match === null) return malformed(line);
  const [baseText = '', ...offsetTexts] = (match[1] ?? '').split(',').map((part) => part.trim());
  const base = parseRegister(baseText)?.register ?? malformed(line);
  const inner = offsetTexts.length === 0 ? null : combine(line, offsetTexts);
  const after = line.operands.slice(index + 1);
  if (after.length > 0) {
    if (inner !== null || match[2] === '!') return malformed(line);
    return { base, offset: combine(line, after), index: 'post' };
  }
  return { base, offset: inner, index: match[2] === '!' ? 'pre' : 'none' };
}

/** The condition code a text names, or null. */
export function parseCondition(text: string): Condition | null {
  const name = text.toLowerCase();
  if (name === 'hs') return 'cs';
  if (name === 'lo') return 'cc';
  return CONDITIONS.find((condition) => condition === name) ?? null;
}

/** The condition operand at an index. */
export function condition(line: Line, index: number): Condition {
  return parseCondition(line.operands[index] ?? '') ?? malformed(line);
}
