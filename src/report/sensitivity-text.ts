import type { Removal } from '../explore/sensitivity.ts';
import { labelled } from './layout.ts';
import type { Style } from './style.ts';

/** What the removal of single steps does to a pass. A step nothing misses is a finding, and is named. */
export function sensitivityText(removals: readonly Removal[], style: Style): readonly string[] {
  if (removals.length === 0) return [];
  const missed = removals.filter(({ rule }) => rule !== null);
  const lines = [
    ` sensitivity: one barrier, TLBI or cache operation removed at a time; ${missed.length} of ${removals.length} break a rule`,
  ];
  for (const { site, rule } of missed) {
    lines.push(...labelled(`   - ${rule ?? ''}  without  `, site, style.width));
  }
  if (missed.length === 0) lines.push('   so this pass says nothing about these steps');
  const spare = removals.filter(({ rule }) => rule === null);
  if (spare.length > 0) {
    lines.push(
      '   not missed in the smaller scenarios (redundant there, or their use is elsewhere):',
    );
    for (const { site } of spare) lines.push(...labelled('   - ', site, style.width));
  }
  return lines;
}
