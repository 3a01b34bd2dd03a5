import type { Geometry, Level } from '../arm64/geometry.ts';
import { levelShift } from '../arm64/geometry.ts';
import { bitsPerLevel } from '../arm64/granule.ts';
import { decodeStage1, type Stage1Descriptor } from '../arm64/stage1-descriptor.ts';
import { decodeStage2, type Stage2Descriptor } from '../arm64/stage2-descriptor.ts';
import type { Memory } from './memory.ts';
import type { TranslationSetup } from './setup.ts';

/** Reads and decodes descriptors out of model memory; each value is decoded once. */
export interface DescriptorReader {
  /** Shape of the trees of a stage. Throws when the setup has none: a mistake of its maker. */
  geometryOf(stage: 1 | 2): Geometry;
  decode1(valueId: number, level: Level, geometry: Geometry): Stage1Descriptor;
  decode2(valueId: number, level: Level, geometry: Geometry): Stage2Descriptor;
  /** Reads the descriptor of `input` in a table: the cell and the id of its current value. */
  readDescriptor(
    mem: number,
    geometry: Geometry,
    level: Level,
    table: bigint,
    input: bigint,
  ): { cell: number; valueId: number };
}

/** A reader over the memory of one machine. */
export function createDescriptorReader(
  translation: TranslationSetup,
  memory: Memory,
): DescriptorReader {
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
    memory.noteWalk(cell);
    const slot = memory.slot(mem, cell);
    return {
      cell,
      valueId: (slot & 1) === 0 ? slot >> 1 : memory.valueId(memory.coherentValue(slot)),
    };
  }

  return { geometryOf, decode1, decode2, readDescriptor };
}
