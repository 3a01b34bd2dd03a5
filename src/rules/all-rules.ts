import { accessesCompleteAtDsb } from './accesses-complete-at-dsb.ts';
import { breakBeforeMake } from './break-before-make.ts';
import { checksHold } from './checks-hold.ts';
import { contentsAfterReturn } from './contents-after-return.ts';
import { contentsAfterMap } from './contents-after-map.ts';
import { instructionsAfterMap } from './instructions-after-map.ts';
import { noAccessAfterReturn } from './no-access-after-return.ts';
import { noReuseUnderTranslation } from './no-reuse-under-translation.ts';
import { noUseOfFreedTable } from './no-use-of-freed-table.ts';
import { noWalkOfFreedTable } from './no-walk-of-freed-table.ts';
import { noUndefinedInstruction } from './no-undefined-instruction.ts';
import { permissionsAfterReturn } from './permissions-after-return.ts';
import { progress } from './progress.ts';
import { rightVmid } from './right-vmid.ts';
import type { Rule } from './rule.ts';
import { tablesChangeUnderLock } from './tables-change-under-lock.ts';

/**
 * All rules, in the order in which a step that breaks several is reported: what explains most comes
 * first.
 */
export const ALL_RULES: readonly Rule[] = [
  noUndefinedInstruction,
  tablesChangeUnderLock,
  rightVmid,
  noWalkOfFreedTable,
  noUseOfFreedTable,
  breakBeforeMake,
  accessesCompleteAtDsb,
  permissionsAfterReturn,
  noAccessAfterReturn,
  noReuseUnderTranslation,
  contentsAfterReturn,
  contentsAfterMap,
  instructionsAfterMap,
  checksHold,
  progress,
];

/** The rule of an id, or null. */
export function ruleById(id: string): Rule | null {
  return ALL_RULES.find((rule) => rule.id === id) ?? null;
}
