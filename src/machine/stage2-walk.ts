import { isValid } from '../arm64/descriptor.ts';
import { levelShift, type Level } from '../arm64/geometry.ts';
import { ALL_PERMISSIONS, NO_TABLE_RESTRICTIONS, stage2Permissions } from '../arm64/permissions.ts';
import type { Context, Fault } from '../program/effect.ts';
import type { DescriptorReader } from './descriptor-reader.ts';
import type { Memory } from './memory.ts';
import {
  covers,
  entryId,
  markedEntry,
  marksOf,
  type EntryTable,
  type TranslationEntry,
} from './translation-entry.ts';
import { NORMAL_WB, type OnFault, type Position, type Stage2Answer } from './walk-position.ts';

/** The stage-2 walk of an IPA: every answer it may have, and what it may leave behind. */
export interface Stage2Walk {
  /** All answers of stage 2 for an IPA; grows `held` with what the walk may leave behind. */
  stage2(
    held: number[],
    mem: number,
    context: Context,
    ipa: bigint,
    onFault: OnFault,
  ): readonly Stage2Answer[];
  /** Adds an entry to a set; false when it is there already. */
  addHeld(held: number[], entry: TranslationEntry, marks: number): boolean;
  /** Where a walk goes on from a walk-cache entry. */
  tablePosition(code: number): Position;
}

/** Stage-2 walks over the memory of one machine. */
export function createStage2Walk(
  reader: DescriptorReader,
  memory: Memory,
  entries: EntryTable,
): Stage2Walk {
  const { geometryOf, decode2, readDescriptor } = reader;

  function addHeld(held: number[], entry: TranslationEntry, marks: number): boolean {
    const code = markedEntry(entries.add(entry), marks);
    if (held.includes(code)) return false;
    held.push(code);
    return true;
  }

  function held2(
    held: readonly number[],
    kind: TranslationEntry['kind'],
    vmid: number,
    ipa: bigint,
  ) {
    return held.filter((code) => {
      const entry = entries.item(entryId(code));
      return entry.kind === kind && entry.info.vmid === vmid && covers(entry.info, ipa);
    });
  }

  /** All answers of stage 2 for an IPA; grows `held` with what the walk may leave behind. */
  function stage2(
    held: number[],
    mem: number,
    context: Context,
    ipa: bigint,
    onFault: OnFault,
  ): readonly Stage2Answer[] {
    if (context.stage2 === null) return [{ pa: ipa, marks: 0, path2: [], leaf: null }];
    const geometry = geometryOf(2);
    const { vmid } = context;
    if (ipa >> BigInt(geometry.inputBits) !== 0n) {
      onFault({
        fault: {
          stage: 2,
          cause: 'translation',
          level: geometry.startLevel,
          address: ipa,
          onWalk: false,
        },
        marks: 0,
        path1: [],
        path2: [],
        leaf: null,
      });
      return [];
    }
    const positions: Position[] = [
      {
        level: geometry.startLevel,
        table: context.stage2.root,
        marks: 0,
        path1: [],
        path2: [],
        restrictions: NO_TABLE_RESTRICTIONS,
      },
    ];
    for (const code of held2(held, 's2-table', vmid, ipa)) positions.push(tablePosition(code));
    for (let i = 0; i < positions.length; i += 1) {
      const at = positions[i] as Position;
      const read = readDescriptor(mem, geometry, at.level, at.table, ipa);
      const descriptor = decode2(read.valueId, at.level, geometry);
      const path2 = [...at.path2, read.cell, read.valueId];
      const shift = levelShift(geometry.granule, at.level);
      const fail = (cause: Fault['cause']): void =>
        onFault({
          fault: { stage: 2, cause, level: at.level, address: ipa, onWalk: false },
          marks: at.marks,
          path1: [],
          path2,
          leaf: null,
        });
      if (descriptor.kind === 'table') {
        const entry = stage2Entry('s2-table', vmid, at.level, ipa, shift, descriptor.next, path2);
        if (addHeld(held, entry, at.marks)) {
          positions.push(tablePosition(markedEntry(entries.add(entry), at.marks)));
        }
      } else if (descriptor.kind === 'block' || descriptor.kind === 'page') {
        if (!descriptor.af) {
          fail('access-flag');
          continue;
        }
        addHeld(
          held,
          {
            ...stage2Entry('s2-leaf', vmid, at.level, ipa, shift, descriptor.output, path2),
            leaf2: { bits: memory.value(read.valueId), level: at.level },
            permissions: stage2Permissions(descriptor),
          },
          at.marks,
        );
      } else if (!isValid(descriptor)) {
        fail('translation');
      }
    }
    return held2(held, 's2-leaf', vmid, ipa).map((code) => {
      const leaf = entries.item(entryId(code));
      return {
        pa: leaf.output + (ipa - leaf.info.inputBase),
        marks: marksOf(code),
        path2: leaf.path2,
        leaf,
      };
    });
  }

  function tablePosition(code: number): Position {
    const entry = entries.item(entryId(code));
    return {
      level: (entry.info.level + 1) as Level,
      table: entry.output,
      marks: marksOf(code),
      path1: entry.path1,
      path2: entry.path2,
      restrictions: entry.restrictions,
    };
  }

  function stage2Entry(
    kind: 's2-table' | 's2-leaf',
    vmid: number,
    level: Level,
    ipa: bigint,
    shift: number,
    output: bigint,
    path2: readonly number[],
  ): TranslationEntry {
    const inputBase = (ipa >> BigInt(shift)) << BigInt(shift);
    return {
      kind,
      info: {
        regime: 'el1&0',
        stages: 's2',
        leaf: kind === 's2-leaf',
        level,
        vmid,
        asid: null,
        inputBase,
        inputBits: shift,
      },
      output,
      ipaBase: inputBase,
      path1: [],
      path2,
      leafPath2: path2,
      leaf1: null,
      leaf2: null,
      restrictions: NO_TABLE_RESTRICTIONS,
      memoryType: NORMAL_WB,
      permissions: ALL_PERMISSIONS,
      stage1Permissions: ALL_PERMISSIONS,
    };
  }

  return { stage2, addHeld, tablePosition };
}
