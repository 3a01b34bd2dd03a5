import { parseTlbiName, takesOperand } from '../../../arm64/tlbi.ts';
import type { BarrierDomain, BarrierLimit } from '../../../program/effect.ts';
import { reject } from '../problem.ts';
import type { Test, Instruction } from './instruction.ts';
import { ZR } from './instruction.ts';
import {
  immediate,
  malformed,
  parseCondition,
  parseNumber,
  parseRegister,
  register,
  unsupported,
  type Line,
} from './operand.ts';

/** Branches, barriers, maintenance, system registers, exceptions. Null when it is none of these. */
export function decodeSystem(line: Line): Instruction | null {
  return decodeBranch(line) ?? decodeBarrier(line) ?? decodeMaintenance(line) ?? decodeRest(line);
}

function decodeBranch(line: Line): Instruction | null {
  const branch = (test: Test | null, operand: number, link = false): Instruction => ({
    kind: 'branch',
    test,
    target: line.operands[operand] ?? malformed(line),
    link,
  });
  const conditional = /^B\.?([A-Z]{2})$/.exec(line.mnemonic);
  const code = conditional === null ? null : parseCondition(conditional[1] ?? '');
  if (code !== null) return branch({ kind: 'flags', condition: code }, 0);
  switch (line.mnemonic) {
    case 'B':
      return branch(null, 0);
    case 'BL':
      return branch(null, 0, true);
    case 'CBZ':
    case 'CBNZ': {
      const { register: tested, width } = register(line, 0);
      const negate = line.mnemonic === 'CBNZ';
      return branch({ kind: 'zero', register: tested, width, negate }, 1);
    }
    case 'TBZ':
    case 'TBNZ': {
      const bit = Number(immediate(line, 1));
      const negate = line.mnemonic === 'TBNZ';
      if (bit < 0 || bit > 63) return malformed(line);
      return branch({ kind: 'bit', register: register(line, 0).register, bit, negate }, 2);
    }
    case 'BR':
    case 'BLR':
      return {
        kind: 'branch-register',
        register: register(line, 0).register,
        link: line.mnemonic === 'BLR',
      };
    case 'RET':
      return {
        kind: 'branch-register',
        register: line.operands.length === 0 ? 30 : register(line, 0).register,
        link: false,
      };
    default:
      return null;
  }
}

const BARRIER = /^(NSH|ISH|OSH|SY|UN)?(LD|ST)?$/;
const BARRIER_DOMAINS: ReadonlyMap<string, BarrierDomain> = new Map([
  ['NSH', 'nsh'],
  ['ISH', 'ish'],
  ['OSH', 'osh'],
]);

function decodeBarrier(line: Line): Instruction | null {
  if (line.mnemonic === 'ISB') return { kind: 'isb' };
  if (line.mnemonic !== 'DMB' && line.mnemonic !== 'DSB') return null;
  const text = (line.operands[0] ?? 'SY').toUpperCase();
  const nXS = text.endsWith('NXS');
  const match = BARRIER.exec(text.replace(/NXS$/, ''));
  if (match === null || text === '') return malformed(line);
  const limit: BarrierLimit = match[2] === 'LD' ? 'ld' : match[2] === 'ST' ? 'st' : 'full';
  if (line.mnemonic === 'DMB') return { kind: 'dmb', limit };
  return { kind: 'dsb', limit, domain: BARRIER_DOMAINS.get(match[1] ?? 'SY') ?? 'sy', nXS };
}

function decodeMaintenance(line: Line): Instruction | null {
  const op = (line.operands[0] ?? '').toUpperCase();
  switch (line.mnemonic) {
    case 'TLBI':
      return decodeTlbi(line);
    case 'DC': {
      const at = register(line, 1).register;
      switch (op) {
        case 'CIVAC':
        case 'CVAC':
        case 'IVAC':
        case 'CVAU': {
          const names = { CIVAC: 'civac', CVAC: 'cvac', IVAC: 'ivac', CVAU: 'cvau' } as const;
          return { kind: 'dc', op: names[op], address: at };
        }
        default:
          return unsupported(line);
      }
    }
    case 'AT': {
      const stage1 = /^S1E([01])([RW])$/.exec(op);
      if (stage1 === null) return unsupported(line);
      return {
        kind: 'translate-address',
        address: register(line, 1).register,
        access: stage1[2] === 'W' ? 'write' : 'read',
        unprivileged: stage1[1] === '0',
      };
    }
    case 'IC':
      switch (op) {
        case 'IALLU':
          return { kind: 'ic', op: 'iallu', address: ZR };
        case 'IALLUIS':
          return { kind: 'ic', op: 'ialluis', address: ZR };
        case 'IVAU':
          return { kind: 'ic', op: 'ivau', address: register(line, 1).register };
        default:
          return unsupported(line);
      }
    default:
      return null;
  }
}

function decodeTlbi(line: Line): Instruction {
  const parsed = parseTlbiName((line.operands[0] ?? '').toUpperCase());
  if (parsed.kind !== 'tlbi') {
    return reject('unsupported', line.at, `\`${line.text}\` is not a TLBI that we know.`);
  }
  const operand = line.operands[1];
  if (!takesOperand(parsed.op)) {
    return { kind: 'tlbi', op: parsed.op.name, operand: ZR };
  }
  if (operand === undefined) return malformed(line);
  return { kind: 'tlbi', op: parsed.op.name, operand: register(line, 1).register };
}

function decodeRest(line: Line): Instruction | null {
  switch (line.mnemonic) {
    case 'NOP':
    case 'HINT':
    case 'YIELD':
    case 'SEV':
    case 'WFE':
    case 'PRFM':
      return { kind: 'nop' };
    case 'ADR':
    case 'ADRP':
      return {
        kind: 'address-of',
        dest: register(line, 0).register,
        symbol: line.operands[1] ?? malformed(line),
        page: line.mnemonic === 'ADRP',
      };
    case 'MRS':
      return {
        kind: 'read-system',
        dest: register(line, 0).register,
        system: (line.operands[1] ?? malformed(line)).toUpperCase(),
      };
    case 'MSR': {
      const from = line.operands[1] ?? malformed(line);
      const sized = parseRegister(from);
      return {
        kind: 'write-system',
        system: (line.operands[0] ?? '').toUpperCase(),
        source:
          sized === null
            ? { kind: 'immediate', value: parseNumber(from) ?? malformed(line) }
            : { kind: 'register', register: sized.register, modifier: null },
      };
    }
    case 'SVC':
      return { kind: 'call', to: 'svc', immediate: immediate(line, 0) };
    case 'HVC':
      return { kind: 'call', to: 'hvc', immediate: immediate(line, 0) };
    case 'ERET':
      return { kind: 'exception-return' };
    case 'UDF':
      return { kind: 'undefined' };
    default:
      return null;
  }
}
