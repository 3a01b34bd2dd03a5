import type { IdTables } from '../util/id-tables.ts';
import type { MayCaches } from './may-cache.ts';
import { isLine, type Memory } from './memory.ts';
import type { MachineSetup } from './setup.ts';

/**
 * What a PE's instruction cache may hold, as a may-cache: every value that could have been fetched,
 * also by speculation, from a place the PE may execute, and was not invalidated since. Lines are found
 * by PA; with a VPIPT cache also by VMID, and maintenance from EL1 then reaches only lines of the
 * current VMID (Arm ARM D7, VPIPT instruction caches).
 *
 * Modelled as far as stage 2 needs it: one word per line, the point of unification is what a
 * cacheable data read gives (as with CTR_EL0.IDC = 1), and maintenance takes effect in one event
 * on all PEs it reaches. Guests that change their own code are not modelled.
 */
export interface InstructionCaches {
  readonly empty: number;
  /** What may be fetched in addition, given what the PE may translate now. */
  close(set: number, tlb: number, memory: number, context: number): number;
  /** Value ids a fetch from the cell may return. */
  values(set: number, cell: number, vmid: number): readonly number[];
  /** Without the lines of a cell (`-1`: of all cells), and of one VMID where that is all it reaches. */
  invalidate(set: number, cell: number, onlyVmid: number | null): number;
}

/** Ints per line: cell, tag, value id. */
const LINE_INTS = 3;

/** Instruction caches of one machine. */
export function createInstructionCaches(
  setup: MachineSetup,
  memory: Memory,
  tlbs: MayCaches,
  ids: IdTables,
): InstructionCaches {
  const pool = ids.pool();
  const tagged = setup.translation.features.icache === 'vpipt';
  let scratch = new Int32Array(96);

  function lines(set: number): number[][] {
    const start = pool.start(set);
    const found: number[][] = [];
    for (let i = 0; i < pool.length(set); i += LINE_INTS) {
      found.push([...pool.arena.subarray(start + i, start + i + LINE_INTS)]);
    }
    return found;
  }

  function intern(all: readonly number[][]): number {
    const sorted = [...all].sort((a, b) => compare(a, b));
    if (scratch.length < sorted.length * LINE_INTS) scratch = new Int32Array(sorted.length * 6);
    let length = 0;
    sorted.forEach((line, i) => {
      const before = sorted[i - 1];
      if (before !== undefined && compare(before, line) === 0) return;
      for (const int of line) {
        scratch[length] = int;
        length += 1;
      }
    });
    return pool.intern(scratch, length);
  }

  const tagOf = (vmid: number): number => (tagged ? vmid : 0);

  return {
    empty: pool.intern(scratch, 0),
    close(set, tlb, mem, contextId) {
      const context = tlbs.contexts.context(contextId);
      if (context.stage1 === null && context.stage2 === null) return set;
      const all = lines(set);
      for (const va of setup.watchedVas) {
        for (const { result } of tlbs.translate(
          tlb,
          memory.walkable(mem),
          contextId,
          va,
          'execute',
          false,
        )) {
          const { cell, fault } = tlbs.results.item(result);
          if (fault !== null) continue;
          const slot = memory.slot(mem, cell);
          const values = isLine(slot) ? memory.line(slot).clean : [slot >> 1];
          const dirty = isLine(slot) ? memory.line(slot).dirty : -1;
          for (const value of dirty >= 0 ? [dirty] : values) {
            all.push([cell, tagOf(context.vmid), value]);
          }
        }
      }
      return intern(all);
    },
    values: (set, cell, vmid) =>
      lines(set)
        .filter((line) => line[0] === cell && line[1] === tagOf(vmid))
        .map((line) => line[2] as number),
    invalidate: (set, cell, onlyVmid) =>
      intern(
        lines(set).filter(
          (line) =>
            (cell >= 0 && line[0] !== cell) ||
            (tagged && onlyVmid !== null && line[1] !== tagOf(onlyVmid)),
        ),
      ),
  };
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < LINE_INTS; i += 1) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}
