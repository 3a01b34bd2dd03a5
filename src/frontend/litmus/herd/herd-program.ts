import type { Place } from '../../../program/effect.ts';
import type { Expr } from '../../../program/expr.ts';
import type { Code } from '../assembly/code.ts';
import { REGISTER_COUNT, type Register } from '../assembly/instruction.ts';
import type { ExprTable } from '../expr-table.ts';
import type { ThreadProgram } from '../thread/thread-program.ts';
import { NO_PHASE } from '../thread/thread-state.ts';
import { constantsOf } from '../thread/survey.ts';
import { herdExceptions } from './exceptions.ts';
import { inPhysical, inTable, type Layout } from './layout.ts';
import type { HerdSettings } from './options.ts';

/** A thread of a herd7 test. */
export function herdProgram(
  thread: number,
  code: Code,
  hasHandler: boolean,
  table: ExprTable,
  initial: ReadonlyMap<Register, bigint>,
  layout: Layout,
  settings: HerdSettings,
): ThreadProgram {
  const user = settings.user.has(thread);
  const handler = hasHandler ? (code.starts[1] ?? null) : null;
  return {
    name: `P${thread}`,
    table,
    code,
    initial: {
      pc: 0,
      phase: NO_PHASE,
      registers: Array.from({ length: REGISTER_COUNT }, (_, register) =>
        table.constant(initial.get(register) ?? 0n),
      ),
      flags: table.constant(0n),
      system: new Map(),
      count: 0,
      el: user ? 0 : 1,
      spsel: 1,
      inHandler: false,
      faults: [],
      loops: new Map(),
      status: 'runs',
    },
    place: (address, el, unprivileged) => placeOf(address, el, unprivileged, layout),
    addressOf(symbol) {
      const slot = code.slots[code.labels.get(symbol) ?? -1];
      if (slot !== undefined) return slot.address;
      return layout.variables.includes(symbol) ? layout.virtualOf(symbol) : undefined;
    },
    ...herdExceptions(code, table, handler, settings.handling, user),
    contextChange: () => null,
  };
}

/**
 * Accesses to page-table cells and physical addresses are not translated (herd7: `IsVirtual`), all
 * others are. Which it is shows in the constants that the address is computed from; an address that
 * comes out of memory is virtual, and the table is mapped at its own address for that. From EL0 all
 * addresses are virtual, and the table's page is not for EL0.
 */
function placeOf(address: Expr, el: 0 | 1 | 2, unprivileged: boolean, layout: Layout): Place {
  const untranslated =
    !layout.translated ||
    (el !== 0 && constantsOf(address).some((value) => inTable(value) || inPhysical(value)));
  return untranslated ? { kind: 'physical', address } : { kind: 'virtual', address, unprivileged };
}
