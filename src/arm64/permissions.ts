import type { Stage1Leaf, Stage1Table } from './stage1-descriptor.ts';
import type { Stage2Leaf } from './stage2-descriptor.ts';

/** What an access may do at one exception level. */
export interface Access {
  readonly read: boolean;
  readonly write: boolean;
  readonly execute: boolean;
}

/** What accesses may do from the privileged level of the regime and from EL0. */
export interface Permissions {
  /** EL1 in the EL1&0 regime, EL2 in the EL2 regimes. */
  readonly privileged: Access;
  readonly el0: Access;
}

/** Nothing restricted: the permissions of a stage that is off. */
export const ALL_PERMISSIONS: Permissions = {
  privileged: { read: true, write: true, execute: true },
  el0: { read: true, write: true, execute: true },
};

/** Restrictions collected from the table descriptors of a stage-1 walk. */
export type TableRestrictions = Pick<Stage1Table, 'noEl0' | 'readOnly' | 'uxn' | 'pxn'>;

/** No restriction from above. */
export const NO_TABLE_RESTRICTIONS: TableRestrictions = {
  noEl0: false,
  readOnly: false,
  uxn: false,
  pxn: false,
};

/** Restrictions of two tables on one walk: each level can only take rights away. */
export function addTableRestrictions(
  above: TableRestrictions,
  table: TableRestrictions,
): TableRestrictions {
  return {
    noEl0: above.noEl0 || table.noEl0,
    readOnly: above.readOnly || table.readOnly,
    uxn: above.uxn || table.uxn,
    pxn: above.pxn || table.pxn,
  };
}

/**
 * Permissions of a stage-1 leaf in a regime with two privilege levels (EL1&0, EL2&0) under the
 * restrictions of its tables. Execution does not need read permission; memory that EL0 can write is
 * never executable at the privileged level. PAN, WXN, UWXN and permission indirection are not
 * covered.
 */
export function stage1Permissions(
  leaf: Pick<Stage1Leaf, 'el0' | 'readOnly' | 'pxn' | 'uxn'>,
  tables: TableRestrictions = NO_TABLE_RESTRICTIONS,
): Permissions {
  const write = !leaf.readOnly && !tables.readOnly;
  const el0 = leaf.el0 && !tables.noEl0;
  return {
    privileged: { read: true, write, execute: !leaf.pxn && !tables.pxn && !(el0 && write) },
    el0: { read: el0, write: el0 && write, execute: !leaf.uxn && !tables.uxn },
  };
}

/**
 * Permissions of a stage-2 leaf: S2AP[0] reads, S2AP[1] writes, the same for EL1 and EL0. XN[1:0]
 * with FEAT_XNX (assumed): 0b00 execution at both, 0b01 EL0 only, 0b10 none, 0b11 EL1 only.
 */
export function stage2Permissions(leaf: Pick<Stage2Leaf, 'read' | 'write' | 'xn'>): Permissions {
  const { read, write, xn } = leaf;
  return {
    privileged: { read, write, execute: xn === 0b00 || xn === 0b11 },
    el0: { read, write, execute: xn === 0b00 || xn === 0b01 },
  };
}

function both(a: Access, b: Access): Access {
  return {
    read: a.read && b.read,
    write: a.write && b.write,
    execute: a.execute && b.execute,
  };
}

/** What both stages together permit: only what each permits. */
export function combinePermissions(stage1: Permissions, stage2: Permissions): Permissions {
  return {
    privileged: both(stage1.privileged, stage2.privileged),
    el0: both(stage1.el0, stage2.el0),
  };
}
