import type { Context, Place, StageControl } from '../../../program/effect.ts';
import type { Expr } from '../../../program/expr.ts';
import type { ExprTable } from '../expr-table.ts';
import { translateStatically, type Roots, type StaticTranslation } from './static-walk.ts';
import { constantsOf } from '../thread/survey.ts';
import type { IslaTables } from './table-setup.ts';

/** How the addresses of a thread reach memory. */
export interface Regime {
  readonly context: Context;
  place(address: Expr, el: 0 | 1 | 2, unprivileged: boolean): Place;
  /** Whether a translation of the page at EL0 or EL1 can be cached and can be told from another. */
  readonly isWatched: (page: bigint) => boolean;
  /** What the tables say about an address at EL2; null where EL2 is not apart. */
  hostTranslation(address: bigint): StaticTranslation | null;
}

/** The registers that fix a regime, with the values they start with. */
export interface RegimeRegisters {
  readonly el: 0 | 1 | 2;
  readonly ttbr0El1: bigint;
  readonly ttbr0El2: bigint;
  readonly vttbr: bigint;
  /** HCR_EL2.VM, and there is a stage-2 table. */
  readonly stage2On: boolean;
  /** The thread may write TTBR0_EL1 or VTTBR_EL2. */
  readonly switches: boolean;
  /** The EL2 regime is the one under test. */
  readonly collapsed: boolean;
}

const BASE_MASK = 0x0000_ffff_ffff_fffen;

/** A stage control from a TTBR; the isla tests have no hardware updates. */
export function stageControl(ttbr: bigint): StageControl {
  return { root: ttbr & BASE_MASK, hardwareUpdate: 'none' };
}

/** ASID or VMID of a TTBR. */
export function ttbrId(ttbr: bigint): number {
  return Number(ttbr >> 48n);
}

/**
 * The regime of a thread.
 *
 * - EL1 and EL0: an address whose walk meets only cells that no `?->` names is translated here and
 *   now, and becomes a physical place: nothing about its translation can be observed. All others are
 *   virtual places. A thread that switches tables has only virtual places.
 * - EL2: addresses are translated by the EL2 table as it is at the start, and are physical places:
 *   for the guest's tables the host is an ordinary writer.
 * - A test that never leaves EL2 and changes its EL2 table is shown to the machine with that table as
 *   stage 1 of EL1&0 and no stage 2 (`collapsed`).
 */
export function makeRegime(
  tables: IslaTables,
  registers: RegimeRegisters,
  table: ExprTable,
): Regime {
  const { collapsed, switches } = registers;
  const stage1 = stageControl(collapsed ? registers.ttbr0El2 : registers.ttbr0El1);
  const stage2 = registers.stage2On && !collapsed ? stageControl(registers.vttbr) : null;
  const context: Context = {
    el: collapsed ? 1 : registers.el,
    asid: collapsed ? 0 : ttbrId(registers.ttbr0El1),
    vmid: collapsed ? 0 : ttbrId(registers.vttbr),
    stage1,
    stage2,
  };
  const guest: Roots = { stage1: stage1.root, stage2: stage2?.root ?? null };
  const host: Roots = { stage1: stageControl(registers.ttbr0El2).root, stage2: null };
  const translate = (roots: Roots, address: bigint): StaticTranslation =>
    translateStatically(tables.memory, tables.changing, roots, address);

  const hostMap = (address: bigint): bigint => {
    const found = translateStatically(tables.memory, new Set(), host, address, 'any');
    return found.kind === 'fixed' ? found.address : address;
  };
  const guestMap = (address: bigint): bigint => {
    const found = translate(guest, address);
    return found.kind === 'fixed' ? found.address : address;
  };
  const names = new Set(
    [...tables.addresses.values()].flatMap(({ space, address }) =>
      space === 'virtual' ? [address & ~0xfffn] : [],
    ),
  );
  const isFixed = (address: bigint): boolean => translate(guest, address).kind === 'fixed';

  return {
    context,
    place(address, el, unprivileged) {
      if (el === 2 && !collapsed) {
        const mapped = table.apply(`el2-map ${host.stage1}`, ([given = 0n]) => hostMap(given), [
          address,
        ]);
        return { kind: 'physical', address: mapped };
      }
      const pages = constantsOf(address).filter((value) => value >= 0x1000n);
      const fixed = !switches && pages.length > 0 && pages.every(isFixed);
      if (!fixed) return { kind: 'virtual', address, unprivileged };
      const root = `${stage1.root},${stage2?.root ?? 'off'}`;
      const mapped = table.apply(`el1-map ${root}`, ([given = 0n]) => guestMap(given), [address]);
      return { kind: 'physical', address: mapped };
    },
    isWatched(page) {
      if (!switches && isFixed(page)) return false;
      const found = translateStatically(tables.memory, tables.changing, guest, page, 'any');
      return found.kind !== 'fault' || (switches && names.has(page));
    },
    hostTranslation: (address) =>
      collapsed ? null : translateStatically(tables.memory, new Set(), host, address, 'any'),
  };
}
