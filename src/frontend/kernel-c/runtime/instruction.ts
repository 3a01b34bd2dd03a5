import { parseTlbiName, takesOperand } from '../../../arm64/tlbi.ts';
import type { EffectBody } from '../../../program/effect.ts';
import { constant } from '../../../program/expr.ts';
import { barrier } from './barriers.ts';
import type { Environment } from './environment.ts';
import { readMemory, writeMemory, physicalOf } from './memory.ts';
import { type Operands, addressOperand, readOperand, writeOperand } from './operands.ts';
import type { Reaction } from './reaction.ts';
import type { RuntimeState } from './state.ts';
import { writeSystemRegister } from './system-registers.ts';

/** What one instruction does: something private, one effect, or nothing we know. */
export type Done =
  | { readonly kind: 'silent'; readonly operands: Operands; readonly state: RuntimeState }
  | {
      readonly kind: 'effect';
      readonly effect: EffectBody;
      readonly text: string;
      readonly state: RuntimeState;
    }
  /** A load or store: it goes on with the operands and the state after it. */
  | {
      readonly kind: 'access';
      readonly perform: (goOn: (operands: Operands, state: RuntimeState) => Reaction) => Reaction;
    }
  | { readonly kind: 'stop'; readonly message: string };

/** Carries out one instruction of a template; its operands still stand as `%0`. */
export function instruction(
  text: string,
  operands: Operands,
  environment: Environment,
  state: RuntimeState,
): Done {
  const [mnemonic = '', ...rest] = text.toLowerCase().split(/[\s]+/);
  const args = rest.join(' ').split(/ ?, ?/);
  const [first = '', second = ''] = args;
  const effect = (body: EffectBody | null): Done =>
    body === null
      ? unknown(text)
      : {
          kind: 'effect',
          effect: body,
          text: first === '' ? mnemonic : `${mnemonic} ${first}`,
          state,
        };
  switch (mnemonic) {
    case 'nop':
    case 'hint':
      return { kind: 'silent', operands, state };
    case 'isb':
      return effect({ kind: 'isb' });
    case 'dsb':
    case 'dmb':
      return effect(barrier(mnemonic, first));
    case 'tlbi':
      return invalidation(text, first, second, operands, environment, state);
    case 'dc':
    case 'ic':
      return maintenance(text, mnemonic, first, second, operands, environment, state);
    case 'mrs': {
      const value = second === 'currentel' ? (state.atEl2 ? 8n : 4n) : state.registers.get(second);
      if (value === undefined) {
        return stop(
          `the code reads the system register ${second}, whose value nobody gave: the profile must, or the runtime must learn it`,
        );
      }
      const next = writeOperand(operands, first, value);
      return next === null ? unknown(text) : { kind: 'silent', operands: next, state };
    }
    case 'msr': {
      const value = readOperand(operands, second);
      if (value === null) return unknown(text);
      return writeSystemRegister(first, value, operands, state, environment.features.s2Hafdbs);
    }
    case 'stlr':
    case 'stlrb':
    case 'stlrh':
    case 'ldar':
    case 'ldarb':
    case 'ldarh':
      return access(text, mnemonic, first, second, operands, environment, state);
    case 'and':
    case 'orr':
    case 'eor':
    case 'mov':
      return arithmetic(text, mnemonic, args, operands, state);
    default:
      return unknown(text);
  }
}

/** A TLBI; where it is UNDEFINED, a rule says so when it is executed. */
function invalidation(
  text: string,
  name: string,
  register: string,
  operands: Operands,
  environment: Environment,
  state: RuntimeState,
): Done {
  const parsed = parseTlbiName(name);
  if (parsed.kind === 'error') return stop(parsed.message);
  // What is for every VMID needs none in force.
  const everyVmid = parsed.op.name.startsWith('ALLE1');
  const host = environment.features.vhe ? (state.registers.get('hcr_el2') ?? null) : 0n;
  if (!everyVmid && (host === null || (host & environment.hostBit) !== 0n)) {
    return stop(
      `TLBI ${name} is executed while HCR_EL2.TGE is set or unknown, so it acts on the host's own entries, which are not modelled`,
    );
  }
  const operand = takesOperand(parsed.op) ? readOperand(operands, register) : 0n;
  if (operand === null) return unknown(text);
  return {
    kind: 'effect',
    effect: {
      kind: 'tlbi',
      op: parsed.op.name,
      operand: constant(operand),
      intendedVmid: everyVmid ? null : environment.vmid,
    },
    text: `tlbi ${name}`,
    state,
  };
}

function maintenance(
  text: string,
  kind: 'dc' | 'ic',
  op: string,
  register: string,
  operands: Operands,
  environment: Environment,
  state: RuntimeState,
): Done {
  const effect = (body: EffectBody): Done => ({
    kind: 'effect',
    effect: body,
    text: `${kind} ${op}`,
    state,
  });
  if (kind === 'ic' && (op === 'iallu' || op === 'ialluis')) return effect({ kind: 'ic', op });
  const address = readOperand(operands, register);
  const physical = address === null ? null : physicalOf(environment, address);
  if (physical === null) return unknown(text);
  const at = { kind: 'physical', address: constant(physical) } as const;
  if (kind === 'ic') return op === 'ivau' ? effect({ kind: 'ic', op, at }) : unknown(text);
  return op === 'civac' || op === 'cvac' || op === 'ivac' || op === 'cvau'
    ? effect({ kind: 'dc', op, at })
    : unknown(text);
}

/** Store-release and load-acquire; the width is that of the mnemonic or of the register. */
function access(
  text: string,
  mnemonic: string,
  register: string,
  memory: string,
  operands: Operands,
  environment: Environment,
  state: RuntimeState,
): Done {
  const address = addressOperand(operands, memory);
  if (address === null) return unknown(text);
  const suffix = mnemonic.slice(4);
  const size = suffix === 'b' ? 1 : suffix === 'h' ? 2 : register.startsWith('%w') ? 4 : 8;
  if (mnemonic.startsWith('stlr')) {
    const value = readOperand(operands, register);
    if (value === null) return unknown(text);
    const release = { address, size, order: 'release', text: mnemonic } as const;
    return {
      kind: 'access',
      perform: (goOn) =>
        writeMemory(release, value, environment, state, (next) => goOn(operands, next)),
    };
  }
  if (writeOperand(operands, register, 0n) === null) return unknown(text);
  const acquire = { address, size, order: 'acquire', text: mnemonic } as const;
  return {
    kind: 'access',
    perform: (goOn) =>
      readMemory(acquire, environment, state, (value) =>
        goOn(writeOperand(operands, register, value) ?? operands, state),
      ),
  };
}

function arithmetic(
  text: string,
  mnemonic: 'and' | 'orr' | 'eor' | 'mov',
  [to = '', left = '', right = '']: readonly string[],
  operands: Operands,
  state: RuntimeState,
): Done {
  const a = readOperand(operands, left);
  const b = mnemonic === 'mov' ? 0n : readOperand(operands, right);
  if (a === null || b === null) return unknown(text);
  const value = mnemonic === 'and' ? a & b : mnemonic === 'eor' ? a ^ b : a | b;
  const next = writeOperand(operands, to, value);
  return next === null ? unknown(text) : { kind: 'silent', operands: next, state };
}

function unknown(text: string): Done {
  return stop(
    `the instruction "${text}" is not known; src/frontend/kernel-c/runtime/instruction.ts must learn it`,
  );
}

function stop(message: string): Done {
  return { kind: 'stop', message };
}
