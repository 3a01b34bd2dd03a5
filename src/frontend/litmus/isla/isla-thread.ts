import type { Code } from '../assembly/code.ts';
import { REGISTER_COUNT } from '../assembly/instruction.ts';
import type { ExprTable } from '../expr-table.ts';
import { reject } from '../problem.ts';
import { NO_PHASE } from '../thread/thread-state.ts';
import type { ThreadProgram } from '../thread/thread-program.ts';
import { registerNumber } from './assertion.ts';
import { islaExceptions } from './exceptions.ts';
import { islaTokens, parseExpression, unexpectedToken } from './expression.ts';
import { registerValue } from './functions.ts';
import { makeRegime, stageControl, ttbrId, type Regime } from './regime.ts';
import { DEFAULT_STAGE1, DEFAULT_STAGE2, type IslaTables } from './table-setup.ts';
import type { TomlTable } from './toml.ts';

/** A thread of an isla test. */
export interface IslaThread {
  readonly program: ThreadProgram;
  readonly regime: Regime;
}

/** System registers that a thread may read and write without any effect on translation. */
const PLAIN_SYSTEM =
  /^(ELR|SPSR|ESR|FAR|VBAR|TPIDR|TPIDRRO|SP|CONTEXTIDR|AFSR0|AFSR1|MAIR)_EL[0-2]$|^HPFAR_EL2$|^TTBR1_EL1$|^TTBR0_EL2$|^(NZCV|DAIF|DAIFSET|DAIFCLR|SPSEL|CURRENTEL|ISR_EL1)$/;

/** System registers whose writes change the translation context. */
const CONTEXT_SYSTEM = new Set(['TTBR0_EL1', 'VTTBR_EL2']);

/** Reads `[thread.N]` and `[thread.N.reset]`. */
export function islaThread(
  name: string,
  thread: TomlTable,
  code: Code,
  tables: IslaTables,
  collapsed: boolean,
  table: ExprTable,
): IslaThread {
  const labelAddress = (label: string): bigint | undefined =>
    code.slots[code.labels.get(label) ?? -1]?.address;
  const resets = readResets(thread, tables, labelAddress);
  checkSystemRegisters(code);
  const value = (register: string, otherwise: bigint): bigint => resets.get(register) ?? otherwise;
  const level = value('PSTATE.EL', 0n);
  const el = level === 2n ? 2 : level === 1n ? 1 : 0;
  const switches = code.slots.some(
    ({ instruction }) =>
      instruction.kind === 'write-system' && CONTEXT_SYSTEM.has(instruction.system),
  );
  const regime = makeRegime(
    tables,
    {
      el,
      ttbr0El1: value('TTBR0_EL1', DEFAULT_STAGE1),
      ttbr0El2: value('TTBR0_EL2', DEFAULT_STAGE1),
      vttbr: value('VTTBR_EL2', DEFAULT_STAGE2),
      stage2On: tables.hasStage2 && (value('HCR_EL2', 1n) & 1n) === 1n,
      switches,
      collapsed,
    },
    table,
  );
  const general = new Map<number, bigint>();
  const system = new Map<string, ReturnType<ExprTable['constant']>>();
  for (const [register, initial] of resets) {
    const number = registerNumber(register);
    if (number !== null) general.set(number, initial);
    else if (!register.startsWith('PSTATE.')) system.set(register, table.constant(initial));
  }
  return {
    regime,
    program: {
      name,
      table,
      code,
      initial: {
        pc: 0,
        phase: NO_PHASE,
        registers: Array.from({ length: REGISTER_COUNT }, (_, register) =>
          table.constant(general.get(register) ?? 0n),
        ),
        flags: table.constant(0n),
        system,
        count: 0,
        el,
        spsel: value('PSTATE.SP', 0n) === 1n ? 1 : 0,
        inHandler: false,
        faults: [],
        loops: new Map(),
        status: 'runs',
      },
      place: (address, at, unprivileged) => regime.place(address, at, unprivileged),
      addressOf: (symbol) => labelAddress(symbol) ?? tables.addresses.get(symbol)?.address,
      ...islaExceptions(code, table, collapsed),
      contextChange(register, written) {
        switch (register) {
          case 'TTBR0_EL1':
            return { asid: ttbrId(written), stage1: stageControl(written) };
          case 'VTTBR_EL2':
            return {
              vmid: ttbrId(written),
              stage2: regime.context.stage2 === null ? null : stageControl(written),
            };
          default:
            return null;
        }
      },
    },
  };
}

/** Registers and their values at the start: those of `init`, then those of `reset`. */
function readResets(
  thread: TomlTable,
  tables: IslaTables,
  labelAddress: (label: string) => bigint | undefined,
): ReadonlyMap<string, bigint> {
  const values = new Map<string, bigint>();
  for (const part of ['init', 'reset']) {
    const entries = thread.entries.get(part);
    if (entries === undefined) continue;
    if (entries.kind !== 'table') return reject('syntax', entries.at, 'expected a table.');
    for (const [register, value] of entries.entries) {
      if (register.startsWith('__')) continue;
      if (value.kind !== 'string') return reject('syntax', value.at, 'expected a string.');
      const tokens = islaTokens(value.source);
      const expression = parseExpression(tokens);
      if (tokens.peek().kind !== 'end') return unexpectedToken(tokens.peek(), 'the end');
      const known =
        registerNumber(register) !== null ||
        register === 'PSTATE.EL' ||
        register === 'PSTATE.SP' ||
        register === 'HCR_EL2' ||
        CONTEXT_SYSTEM.has(register) ||
        PLAIN_SYSTEM.test(register);
      if (!known) {
        return reject('unsupported', value.at, `the register \`${register}\` is not supported.`);
      }
      values.set(register, registerValue(expression, tables, labelAddress));
    }
  }
  return values;
}

function checkSystemRegisters(code: Code): void {
  for (const { instruction, at, text } of code.slots) {
    if (instruction.kind === 'translate-address') {
      // With two stages it would leave out the second one, which the machine cannot.
      reject('unsupported', at, `the instruction \`${text}\` is not supported here.`);
    }
    if (instruction.kind !== 'read-system' && instruction.kind !== 'write-system') continue;
    const { system } = instruction;
    if (!PLAIN_SYSTEM.test(system) && !CONTEXT_SYSTEM.has(system)) {
      reject('unsupported', at, `the system register \`${system}\` is not supported.`);
    }
  }
}
