import { combineMemoryTypes, device } from '../arm64/attributes.ts';
import { combinePermissions, NO_TABLE_RESTRICTIONS } from '../arm64/permissions.ts';
import type { Context } from '../program/effect.ts';
import { createDescriptorReader } from './descriptor-reader.ts';
import type { MachineFaults } from './fault.ts';
import type { Memory } from './memory.ts';
import type { TranslationSetup } from './setup.ts';
import { createStage1Walk } from './stage1-walk.ts';
import { createStage2Walk } from './stage2-walk.ts';
import type { EntryTable } from './translation-entry.ts';
import type { OnFault, WalkFault } from './walk-position.ts';

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

const IGNORE: OnFault = () => undefined;

/** A walker over the memory of one machine. */
export function createWalker(
  translation: TranslationSetup,
  memory: Memory,
  entries: EntryTable,
  faults?: MachineFaults,
): Walker {
  const { features } = translation;
  const reader = createDescriptorReader(translation, memory);
  const { geometryOf, decode2 } = reader;
  const second = createStage2Walk(reader, memory, entries);
  const { stage2, addHeld } = second;
  const { stage1, stage1Leaves } = createStage1Walk(
    translation,
    reader,
    second,
    memory,
    entries,
    faults,
  );

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
