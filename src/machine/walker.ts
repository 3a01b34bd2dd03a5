import {
  combineMemoryTypes,
  decodeMair,
  device,
  stage1OffType,
  type MemoryType,
} from '../arm64/attributes.ts';
import { isValid } from '../arm64/descriptor.ts';
import { levelShift, type Geometry, type Level } from '../arm64/geometry.ts';
import { bitsPerLevel, pageShift } from '../arm64/granule.ts';
import {
  addTableRestrictions,
  ALL_PERMISSIONS,
  combinePermissions,
  NO_TABLE_RESTRICTIONS,
  stage1Permissions,
  stage2Permissions,
  type TableRestrictions,
} from '../arm64/permissions.ts';
import { decodeStage1, type Stage1Descriptor } from '../arm64/stage1-descriptor.ts';
import { decodeStage2, type Stage2Descriptor } from '../arm64/stage2-descriptor.ts';
import type { Context, Fault } from '../program/effect.ts';
import type { MachineFaults } from './fault.ts';
import type { Memory } from './memory.ts';
import type { TranslationSetup } from './setup.ts';
import {
  covers,
  entryId,
  markedEntry,
  marksOf,
  type EntryTable,
  type TranslationEntry,
} from './translation-entry.ts';

/**
 * The table walker, as a closure: from the entries a PE may hold and memory as it is now, everything
 * it may hold next, and every way a walk may fault now.
 *
 * Each level's descriptor is read at its own time: a walk that stops after some level and goes on
 * later is a walk-cache entry (R_RVJDB counts the walker's own registers among them), so one walk
 * step from any held table entry over current memory covers all interleaved walks. Faulting
 * descriptors are never held (R_XCLRD, R_SQBCS): they are only reported.
 */
export interface Walker {
  /** `held` closed under walks of `va` in this context; new marked entries are appended to it. */
  closeUnder(held: number[], memory: number, context: Context, va: bigint): void;
  /** The faults a walk of `va` may end in now, given a closed set. */
  faults(
    held: readonly number[],
    memory: number,
    context: Context,
    va: bigint,
  ): readonly WalkFault[];
}

/** A walk that ends at a descriptor that cannot be cached. */
export interface WalkFault {
  readonly fault: Omit<Fault, 'access'>;
  readonly marks: number;
  /** Descriptors read, the faulting one last. */
  readonly path1: readonly number[];
  readonly path2: readonly number[];
  /** For an access-flag fault of stage 1: the leaf as it would be with the flag set. */
  readonly leaf: TranslationEntry | null;
}

/** A position in a stage-1 or stage-2 walk: the next table to read. */
interface Position {
  readonly level: Level;
  readonly table: bigint;
  readonly marks: number;
  readonly path1: readonly number[];
  readonly path2: readonly number[];
  readonly restrictions: TableRestrictions;
}

/** Where stage 2 sends an IPA: one of possibly several answers. */
interface Stage2Answer {
  readonly pa: bigint;
  readonly marks: number;
  readonly path2: readonly number[];
  /** The leaf entry, or null when stage 2 is off. */
  readonly leaf: TranslationEntry | null;
}

/** For leaves that only faulty machines cache. */
const NONE = { read: false, write: false, execute: false };
const NOTHING_ALLOWED = {
  permissions: { privileged: NONE, el0: NONE },
  stage1Permissions: { privileged: NONE, el0: NONE },
};

type OnFault = (fault: WalkFault) => void;
const IGNORE: OnFault = () => undefined;

const NORMAL_WB: MemoryType = {
  kind: 'normal',
  inner: 'wb',
  outer: 'wb',
  shareability: 'ish',
  xs: false,
};

/** A walker over the memory of one machine. */
export function createWalker(
  translation: TranslationSetup,
  memory: Memory,
  entries: EntryTable,
  faults?: MachineFaults,
): Walker {
  const { features } = translation;
  const decoded1 = new Map<string, Stage1Descriptor>();
  const decoded2 = new Map<string, Stage2Descriptor>();

  function geometryOf(stage: 1 | 2): Geometry {
    const geometry = stage === 1 ? translation.stage1 : translation.stage2;
    if (geometry === null)
      throw new Error(`stage ${stage} is on but the setup has no geometry for it`);
    return geometry;
  }

  function decode1(valueId: number, level: Level, geometry: Geometry): Stage1Descriptor {
    const key = `${valueId},${level}`;
    let found = decoded1.get(key);
    if (found === undefined) {
      found = decodeStage1(memory.value(valueId), level, geometry.granule, features);
      decoded1.set(key, found);
    }
    return found;
  }

  function decode2(valueId: number, level: Level, geometry: Geometry): Stage2Descriptor {
    const key = `${valueId},${level}`;
    let found = decoded2.get(key);
    if (found === undefined) {
      found = decodeStage2(memory.value(valueId), level, geometry.granule, features);
      decoded2.set(key, found);
    }
    return found;
  }

  /** Reads the descriptor of `input` in a table: the cell and the id of its current value. */
  function readDescriptor(
    mem: number,
    geometry: Geometry,
    level: Level,
    table: bigint,
    input: bigint,
  ): { cell: number; valueId: number } {
    const shift = levelShift(geometry.granule, level);
    const bits =
      level === geometry.startLevel
        ? Math.max(0, geometry.inputBits - shift)
        : bitsPerLevel(geometry.granule);
    const index = (input >> BigInt(shift)) & ((1n << BigInt(bits)) - 1n);
    const cell = memory.cellOf(table + index * 8n);
    const slot = memory.slot(mem, cell);
    return {
      cell,
      valueId: (slot & 1) === 0 ? slot >> 1 : memory.valueId(memory.coherentValue(slot)),
    };
  }

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
        if (descriptor.af) addHeld(held, leaf, at.marks);
        else {
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

  /** Walks stage 1, then stage 2 of each result, and holds the combinations. */
  function walk(held: number[], mem: number, context: Context, va: bigint, onFault: OnFault): void {
    stage1(held, mem, context, va, onFault);
    if (context.stage2 === null) return;
    for (const { entry: leaf1, marks: marks1 } of stage1Leaves(held, context, va)) {
      const ipa = leaf1.output + (va - leaf1.info.inputBase);
      const answers = stage2(held, mem, context, ipa, (f) =>
        onFault({
          ...f,
          marks: f.marks | marks1,
          path1: leaf1.path1,
          path2: [...leaf1.path2, ...f.path2],
        }),
      );
      for (const answer of answers) {
        const leaf2 = answer.leaf;
        if (leaf2 === null) continue;
        const descriptor = decode2(
          leaf2.path2[leaf2.path2.length - 1] as number,
          leaf2.info.level,
          geometryOf(2),
        );
        if (descriptor.kind !== 'block' && descriptor.kind !== 'page') continue;
        const bits = Math.min(leaf1.info.inputBits, leaf2.info.inputBits);
        const inputBase = (va >> BigInt(bits)) << BigInt(bits);
        const offset = va - inputBase;
        const type = combineMemoryTypes(
          leaf1.memoryType,
          { memAttr: descriptor.memAttr, sh: descriptor.sh ?? 0b11, fnxs: descriptor.fnxs },
          features.fwb,
        );
        addHeld(
          held,
          {
            kind: 'combined',
            info: { ...leaf1.info, stages: 's1s2', inputBase, inputBits: bits },
            output: answer.pa - offset,
            ipaBase: ipa - offset,
            path1: leaf1.path1,
            path2: [...leaf1.path2, ...leaf2.path2],
            leafPath2: leaf2.path2,
            leaf1: leaf1.leaf1,
            leaf2: leaf2.leaf2,
            restrictions: NO_TABLE_RESTRICTIONS,
            memoryType: type.kind === 'reserved' ? device('nGnRnE') : type,
            permissions: combinePermissions(leaf1.permissions, leaf2.permissions),
            stage1Permissions: leaf1.permissions,
          },
          marks1 | answer.marks,
        );
      }
    }
  }

  return {
    closeUnder: (held, mem, context, va) => walk(held, mem, context, va, IGNORE),
    faults(held, mem, context, va) {
      const found: WalkFault[] = [];
      walk([...held], mem, context, va, (fault) => found.push(fault));
      return found;
    },
  };
}
