import { alignDown } from '../arm64/address.ts';
import { decodeMair, device, stage1OffType } from '../arm64/attributes.ts';
import { isValid } from '../arm64/descriptor.ts';
import { contiguousCount, levelShift } from '../arm64/geometry.ts';
import { pageShift } from '../arm64/granule.ts';
import {
  addTableRestrictions,
  ALL_PERMISSIONS,
  NO_TABLE_RESTRICTIONS,
  stage1Permissions,
} from '../arm64/permissions.ts';
import type { Context, Fault } from '../program/effect.ts';
import type { DescriptorReader } from './descriptor-reader.ts';
import type { MachineFaults } from './fault.ts';
import type { Memory } from './memory.ts';
import type { TranslationSetup } from './setup.ts';
import type { Stage2Walk } from './stage2-walk.ts';
import {
  covers,
  entryId,
  markedEntry,
  marksOf,
  type EntryTable,
  type TranslationEntry,
} from './translation-entry.ts';
import { NORMAL_WB, type OnFault, type Position, type Stage2Answer } from './walk-position.ts';

/** For leaves that only faulty machines cache. */
const NONE = { read: false, write: false, execute: false };
const NOTHING_ALLOWED = {
  permissions: { privileged: NONE, el0: NONE },
  stage1Permissions: { privileged: NONE, el0: NONE },
};

/** The stage-1 walk of a VA, through stage 2 for every table where that is on. */
export interface Stage1Walk {
  /** All stage-1 leaves for a VA; grows `held` with what the walk may leave behind. */
  stage1(held: number[], mem: number, context: Context, va: bigint, onFault: OnFault): void;
  /** What stage 1 says of a VA: its leaves, or the flat mapping while it is off. */
  stage1Leaves(
    held: readonly number[],
    context: Context,
    va: bigint,
  ): readonly { entry: TranslationEntry; marks: number }[];
}

/** Stage-1 walks over the memory of one machine. */
export function createStage1Walk(
  translation: TranslationSetup,
  reader: DescriptorReader,
  { stage2, addHeld, tablePosition }: Stage2Walk,
  memory: Memory,
  entries: EntryTable,
  faults?: MachineFaults,
): Stage1Walk {
  const { features } = translation;
  const { geometryOf, decode1, readDescriptor } = reader;

  /** All stage-1 leaves for a VA; grows `held` with what the walk may leave behind. */
  function stage1(
    held: number[],
    mem: number,
    context: Context,
    va: bigint,
    onFault: OnFault,
  ): void {
    if (context.stage1 === null) return;
    const geometry = geometryOf(1);
    const stages = context.stage2 === null ? 's1' : 's1s2';
    const positions: Position[] = [];
    const walkTo = (ipa: bigint, from: Position | null): readonly Stage2Answer[] =>
      stage2(held, mem, context, ipa, (f) =>
        onFault({
          fault: { ...f.fault, onWalk: true },
          marks: f.marks | (from?.marks ?? 0),
          path1: from?.path1 ?? [],
          path2: [...(from?.path2 ?? []), ...f.path2],
          leaf: null,
        }),
      );
    for (const answer of walkTo(context.stage1.root, null)) {
      positions.push({
        level: geometry.startLevel,
        table: answer.pa,
        marks: answer.marks,
        path1: [],
        path2: answer.path2,
        restrictions: NO_TABLE_RESTRICTIONS,
      });
    }
    for (const code of held) {
      const entry = entries.item(entryId(code));
      if (
        entry.kind === 's1-table' &&
        entry.info.vmid === context.vmid &&
        entry.info.asid === context.asid &&
        covers(entry.info, va)
      ) {
        positions.push(tablePosition(code));
      }
    }
    for (let i = 0; i < positions.length; i += 1) {
      const at = positions[i] as Position;
      const read = readDescriptor(mem, geometry, at.level, at.table, va);
      const descriptor = decode1(read.valueId, at.level, geometry);
      const path1 = [...at.path1, read.cell, read.valueId];
      const shift = levelShift(geometry.granule, at.level);
      const inputBase = (va >> BigInt(shift)) << BigInt(shift);
      const fail = (cause: Fault['cause'], leaf: TranslationEntry | null): void =>
        onFault({
          fault: { stage: 1, cause, level: at.level, address: va, onWalk: false },
          marks: at.marks,
          path1,
          path2: at.path2,
          leaf,
        });
      if (descriptor.kind === 'table') {
        const here: Position = { ...at, path1 };
        for (const answer of walkTo(descriptor.next, here)) {
          const marks = at.marks | answer.marks;
          const entry: TranslationEntry = {
            kind: 's1-table',
            info: {
              regime: 'el1&0',
              stages,
              leaf: false,
              level: at.level,
              vmid: context.vmid,
              asid: context.asid,
              inputBase,
              inputBits: shift,
            },
            output: answer.pa,
            ipaBase: descriptor.next,
            path1,
            path2: [...at.path2, ...answer.path2],
            leafPath2: [],
            leaf1: null,
            leaf2: null,
            restrictions: addTableRestrictions(at.restrictions, descriptor),
            memoryType: NORMAL_WB,
            permissions: ALL_PERMISSIONS,
            stage1Permissions: ALL_PERMISSIONS,
          };
          if (addHeld(held, entry, marks)) {
            positions.push(tablePosition(markedEntry(entries.add(entry), marks)));
          }
        }
      } else if (descriptor.kind === 'block' || descriptor.kind === 'page') {
        const attr = Number((translation.mair >> BigInt(descriptor.attrIndx * 8)) & 0xffn);
        const type = decodeMair(attr, descriptor.sh ?? 0b11, features);
        const leaf: TranslationEntry = {
          kind: 's1-leaf',
          info: {
            regime: 'el1&0',
            stages: 's1',
            leaf: true,
            level: at.level,
            vmid: context.vmid,
            asid: descriptor.ng ? context.asid : null,
            inputBase,
            inputBits: shift,
          },
          output: descriptor.output,
          ipaBase: descriptor.output,
          path1,
          path2: at.path2,
          leafPath2: [],
          leaf1: { bits: memory.value(read.valueId), level: at.level },
          leaf2: null,
          restrictions: at.restrictions,
          // A reserved MAIR encoding behaves as some type; Device-nGnRnE is one choice.
          memoryType: type.kind === 'reserved' ? device('nGnRnE') : type,
          permissions: stage1Permissions(descriptor, at.restrictions),
          stage1Permissions: stage1Permissions(descriptor, at.restrictions),
        };
        if (descriptor.af) {
          addHeld(held, leaf, at.marks);
          const group = groupOf(leaf, descriptor.contiguous, context);
          if (group !== null) addHeld(held, group, at.marks);
        } else {
          if (faults?.has('af0-cached')) {
            addHeld(held, { ...leaf, ...NOTHING_ALLOWED }, at.marks);
          }
          fail('access-flag', leaf);
        }
      } else if (!isValid(descriptor)) {
        if (faults?.has('invalid-cached') && context.stage2 === null) {
          addHeld(held, invalidEntry(context, at, va, path1), at.marks);
        }
        fail('translation', null);
      }
    }
  }

  /**
   * One entry for the whole group of a descriptor with the Contiguous bit, beside the one for itself: it
   * may be cached from any of the group, and translates for all (D8.7.1). Not under stage 2.
   */
  function groupOf(
    leaf: TranslationEntry,
    contiguous: boolean,
    context: Context,
  ): TranslationEntry | null {
    const { granule } = geometryOf(1);
    const count = contiguousCount(granule, leaf.info.level);
    if (!contiguous || count === null || context.stage2 !== null) return null;
    const bits = leaf.info.inputBits + Math.log2(count);
    const down = (address: bigint): bigint => alignDown(address, bits);
    return {
      ...leaf,
      info: { ...leaf.info, inputBase: down(leaf.info.inputBase), inputBits: bits },
      output: down(leaf.output),
      ipaBase: down(leaf.ipaBase),
    };
  }

  /** For the fault `invalid-cached`: a leaf that allows nothing. */
  function invalidEntry(
    context: Context,
    at: Position,
    va: bigint,
    path1: readonly number[],
  ): TranslationEntry {
    const shift = levelShift(geometryOf(1).granule, at.level);
    return {
      kind: 's1-leaf',
      info: {
        regime: 'el1&0',
        stages: 's1',
        leaf: true,
        level: at.level,
        vmid: context.vmid,
        asid: context.asid,
        inputBase: (va >> BigInt(shift)) << BigInt(shift),
        inputBits: shift,
      },
      output: 0n,
      ipaBase: 0n,
      path1,
      path2: at.path2,
      leafPath2: [],
      leaf1: { bits: memory.value(path1[path1.length - 1] as number), level: at.level },
      leaf2: null,
      restrictions: at.restrictions,
      memoryType: NORMAL_WB,
      ...NOTHING_ALLOWED,
    };
  }

  /** What stage 1 says of a VA: its leaves, or the flat mapping while it is off. */
  function stage1Leaves(
    held: readonly number[],
    context: Context,
    va: bigint,
  ): readonly { entry: TranslationEntry; marks: number }[] {
    if (context.stage1 === null) {
      const shift = pageShift(features.granule);
      const base = (va >> BigInt(shift)) << BigInt(shift);
      return [
        {
          marks: 0,
          entry: {
            kind: 's1-leaf',
            info: {
              regime: 'el1&0',
              stages: 's1',
              leaf: true,
              level: 3,
              vmid: context.vmid,
              asid: null,
              inputBase: base,
              inputBits: shift,
            },
            output: base,
            ipaBase: base,
            path1: [],
            path2: [],
            leafPath2: [],
            leaf1: null,
            leaf2: null,
            restrictions: NO_TABLE_RESTRICTIONS,
            memoryType: stage1OffType({ dc: false, fetch: false, icacheOn: true }),
            permissions: ALL_PERMISSIONS,
            stage1Permissions: ALL_PERMISSIONS,
          },
        },
      ];
    }
    const found: { entry: TranslationEntry; marks: number }[] = [];
    for (const code of held) {
      const entry = entries.item(entryId(code));
      if (
        entry.kind === 's1-leaf' &&
        entry.info.vmid === context.vmid &&
        (entry.info.asid === null || entry.info.asid === context.asid) &&
        covers(entry.info, va)
      ) {
        found.push({ entry, marks: marksOf(code) });
      }
    }
    return found;
  }

  return { stage1, stage1Leaves };
}
