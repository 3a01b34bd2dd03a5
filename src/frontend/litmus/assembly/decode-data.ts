import { inverse, ones, type AluOp, type Width } from './alu.ts';
import { ZR, type Instruction, type Operand, type Register } from './instruction.ts';
import {
  condition,
  immediate,
  malformed,
  parseCondition,
  parseNumber,
  register,
  source,
  type Line,
} from './operand.ts';

const PLAIN: ReadonlyMap<string, AluOp> = new Map([
  ['ADD', 'add'],
  ['SUB', 'sub'],
  ['AND', 'and'],
  ['ORR', 'orr'],
  ['EOR', 'eor'],
  ['BIC', 'bic'],
  ['ORN', 'orn'],
  ['EON', 'eon'],
  ['LSL', 'lsl'],
  ['LSR', 'lsr'],
  ['ASR', 'asr'],
  ['ROR', 'ror'],
  ['LSLV', 'lsl'],
  ['LSRV', 'lsr'],
  ['ASRV', 'asr'],
  ['RORV', 'ror'],
  ['MUL', 'mul'],
  ['SMULH', 'smulh'],
  ['UMULH', 'umulh'],
  ['UDIV', 'udiv'],
  ['SDIV', 'sdiv'],
]);

const SETTING: ReadonlyMap<string, readonly [AluOp, 'add' | 'sub' | 'logic']> = new Map([
  ['ADDS', ['add', 'add']],
  ['SUBS', ['sub', 'sub']],
  ['ANDS', ['and', 'logic']],
  ['BICS', ['bic', 'logic']],
]);

const COMPARING: ReadonlyMap<string, readonly [AluOp, 'add' | 'sub' | 'logic']> = new Map([
  ['CMP', ['sub', 'sub']],
  ['CMN', ['add', 'add']],
  ['TST', ['and', 'logic']],
]);

function reg(number: Register): Operand {
  return { kind: 'register', register: number, modifier: null };
}

function imm(value: bigint): Operand {
  return { kind: 'immediate', value };
}

function compute(
  op: AluOp,
  width: Width,
  dest: Register,
  operands: readonly Operand[],
  flags: 'none' | 'add' | 'sub' | 'logic' = 'none',
): Instruction {
  return { kind: 'compute', op, width, dest, operands, flags };
}

/** Data processing: arithmetic, logic, moves, selects. Null when the mnemonic is none of these. */
export function decodeData(line: Line): Instruction | null {
  const plain = PLAIN.get(line.mnemonic);
  if (plain !== undefined) {
    const { register: dest, width } = register(line, 0);
    return compute(plain, width, dest, [reg(register(line, 1).register), source(line, 2)]);
  }
  const setting = SETTING.get(line.mnemonic);
  if (setting !== undefined) {
    const { register: dest, width } = register(line, 0);
    const operands = [reg(register(line, 1).register), source(line, 2)];
    return compute(setting[0], width, dest, operands, setting[1]);
  }
  const comparing = COMPARING.get(line.mnemonic);
  if (comparing !== undefined) {
    const { register: left, width } = register(line, 0);
    return compute(comparing[0], width, ZR, [reg(left), source(line, 1)], comparing[1]);
  }
  return decodeMove(line) ?? decodeSelect(line) ?? decodeField(line);
}

function decodeMove(line: Line): Instruction | null {
  const sized = (): { register: Register; width: Width } => register(line, 0);
  switch (line.mnemonic) {
    case 'MOV':
    case 'MOVZ': {
      const { register: dest, width } = sized();
      return compute('move', width, dest, [source(line, 1)]);
    }
    case 'MVN': {
      const { register: dest, width } = sized();
      return compute('orn', width, dest, [reg(ZR), source(line, 1)]);
    }
    case 'NEG':
    case 'NEGS': {
      const { register: dest, width } = sized();
      const flags = line.mnemonic === 'NEGS' ? 'sub' : 'none';
      return compute('sub', width, dest, [reg(ZR), source(line, 1)], flags);
    }
    case 'MOVN': {
      const { register: dest, width } = sized();
      const operand = source(line, 1);
      if (operand.kind !== 'immediate') return malformed(line);
      return compute('move', width, dest, [imm(~operand.value & ones(width))]);
    }
    case 'MOVK': {
      const { register: dest, width } = sized();
      const operand = source(line, 1);
      if (operand.kind !== 'immediate') return malformed(line);
      const shift = BigInt(/lsl\s*#?(\d+)/i.exec(line.operands[2] ?? '')?.[1] ?? '0');
      if (shift >= BigInt(width)) return malformed(line);
      return compute('insert', width, dest, [reg(dest), operand, imm(0xffffn << shift)]);
    }
    case 'MADD':
    case 'MSUB': {
      const { register: dest, width } = sized();
      const operands = [1, 2, 3].map((index) => reg(register(line, index).register));
      return compute(line.mnemonic === 'MADD' ? 'madd' : 'msub', width, dest, operands);
    }
    case 'MNEG': {
      const { register: dest, width } = sized();
      const operands = [1, 2].map((index) => reg(register(line, index).register));
      return compute('msub', width, dest, [...operands, reg(ZR)]);
    }
    case 'EXTR': {
      const { register: dest, width } = sized();
      const operands = [1, 2].map((index) => reg(register(line, index).register));
      const from = immediate(line, 3);
      if (from < 0n || from >= BigInt(width)) return malformed(line);
      return compute('extr', width, dest, [...operands, imm(from)]);
    }
    case 'CLZ':
    case 'CLS':
    case 'RBIT':
    case 'REV':
    case 'REV64':
    case 'REV16':
    case 'REV32':
    case 'ABS': {
      const { register: dest, width } = sized();
      const ops = {
        CLZ: 'clz',
        CLS: 'cls',
        RBIT: 'rbit',
        REV: 'rev',
        REV64: 'rev',
        REV16: 'rev16',
        REV32: 'rev32',
        ABS: 'abs',
      } as const;
      return compute(ops[line.mnemonic], width, dest, [reg(register(line, 1).register)]);
    }
    default:
      return decodeLongMultiply(line);
  }
}

/** SMULL, UMADDL and their kind: two 32-bit factors, a 64-bit result. */
function decodeLongMultiply(line: Line): Instruction | null {
  const long = /^([SU])M(ULL|NEGL|ADDL|SUBL)$/.exec(line.mnemonic);
  if (long === null) return null;
  const kind = long[1] === 'S' ? 'sxtw' : 'uxtw';
  const factors = [1, 2].map((index): Operand => ({
    kind: 'register',
    register: register(line, index).register,
    modifier: { kind, amount: 0 },
  }));
  const added = long[2] === 'ULL' || long[2] === 'NEGL' ? ZR : register(line, 3).register;
  const op = long[2] === 'ULL' || long[2] === 'ADDL' ? 'madd' : 'msub';
  return compute(op, 64, register(line, 0).register, [...factors, reg(added)]);
}

function decodeSelect(line: Line): Instruction | null {
  const select = (
    change: 'none' | 'inc' | 'inv' | 'neg',
    yes: Register,
    no: Register,
    code: ReturnType<typeof condition>,
  ): Instruction => {
    const { register: dest, width } = register(line, 0);
    return { kind: 'select', width, dest, yes, no, change, condition: code };
  };
  const at = (index: number): Register => register(line, index).register;
  switch (line.mnemonic) {
    case 'CSEL':
      return select('none', at(1), at(2), condition(line, 3));
    case 'CSINC':
      return select('inc', at(1), at(2), condition(line, 3));
    case 'CSINV':
      return select('inv', at(1), at(2), condition(line, 3));
    case 'CSNEG':
      return select('neg', at(1), at(2), condition(line, 3));
    case 'CSET':
      return select('inc', ZR, ZR, inverse(condition(line, 1)));
    case 'CSETM':
      return select('inv', ZR, ZR, inverse(condition(line, 1)));
    case 'CINC':
      return select('inc', at(1), at(1), inverse(condition(line, 2)));
    case 'CINV':
      return select('inv', at(1), at(1), inverse(condition(line, 2)));
    case 'CNEG':
      return select('neg', at(1), at(1), inverse(condition(line, 2)));
    case 'CCMP':
    case 'CCMN': {
      const { register: left, width } = register(line, 0);
      const rightText = line.operands[1] ?? '';
      const value = parseNumber(rightText);
      return {
        kind: 'conditional-compare',
        width,
        compare: line.mnemonic === 'CCMP' ? 'sub' : 'add',
        left,
        right: value === null ? reg(register(line, 1).register) : imm(value),
        otherwise: immediate(line, 2) & 15n,
        condition: parseCondition(line.operands[3] ?? '') ?? malformed(line),
      };
    }
    default:
      return null;
  }
}

const EXTENDS: ReadonlyMap<string, readonly [boolean, number]> = new Map([
  ['UXTB', [false, 8]],
  ['UXTH', [false, 16]],
  ['UXTW', [false, 32]],
  ['SXTB', [true, 8]],
  ['SXTH', [true, 16]],
  ['SXTW', [true, 32]],
]);

/** Extensions and bit fields. */
function decodeField(line: Line): Instruction | null {
  const extend = EXTENDS.get(line.mnemonic);
  if (extend !== undefined) {
    const { register: dest, width } = register(line, 0);
    const from = reg(register(line, 1).register);
    return extend[0]
      ? compute('sign', width, dest, [from, imm(BigInt(extend[1]))])
      : compute('and', width, dest, [from, imm(ones(extend[1]))]);
  }
  const field = /^([US]?BF)(M|X|IZ|I|XIL)$/.exec(line.mnemonic);
  if (field === null) return null;
  const op = field[1] === 'UBF' ? 'ubfm' : field[1] === 'SBF' ? 'sbfm' : 'bfm';
  const { register: dest, width } = register(line, 0);
  const bits = BigInt(width);
  const first = immediate(line, 2);
  const second = immediate(line, 3);
  if (first < 0n || second < 0n || first >= bits) return malformed(line);
  const inserts = field[2] === 'I' || field[2] === 'IZ';
  const immr = inserts ? (bits - first) % bits : first;
  const imms = field[2] === 'M' ? second : inserts ? second - 1n : first + second - 1n;
  if (imms < 0n || imms >= bits) return malformed(line);
  const from = reg(register(line, 1).register);
  return compute(op, width, dest, [from, imm(immr), imm(imms), reg(dest)]);
}
