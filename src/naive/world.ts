import type { Features } from '../arm64/features.ts';
import { LEVELS, type Geometry, type Level } from '../arm64/geometry.ts';
import { pageShift } from '../arm64/granule.ts';
import type { MachineSetup } from '../machine/setup.ts';

/** A setup with what the naive machine computes from it once. */
export interface World {
  readonly setup: MachineSetup;
  readonly features: Features;
  /** Whether the word at an address has modelled cache lines over the PoC. */
  readonly hasLines: (address: bigint) => boolean;
}

/** Why this machine does not take a setup, in one sentence, or null. */
export function refusal(setup: MachineSetup): string | null {
  const updates = setup.threads.some(({ context }) =>
    [context.stage1, context.stage2].some(
      (stage) => stage !== null && stage.hardwareUpdate !== 'none',
    ),
  );
  if (updates) return 'Hardware updates of the Access flag and dirty state are not modelled.';
  return null;
}

/**
 * Prepares a setup. Throws a RangeError with the sentence of `refusal` for one that is not modelled.
 *
 * Only words in pages of use `guest`, `free` and `device` get cache lines: every other page is only
 * ever reached through cacheable aliases, where a line shows one value to everybody.
 */
export function worldOf(setup: MachineSetup): World {
  const refused = refusal(setup);
  if (refused !== null) throw new RangeError(refused);
  const { features } = setup.translation;
  const shift = BigInt(pageShift(features.granule));
  const lined = new Set(
    setup.pages
      .filter(({ use }) => use === 'guest' || use === 'free' || use === 'device')
      .map(({ base }) => base >> shift),
  );
  const lines = setup.dataCache === 'modelled';
  return { setup, features, hasLines: (address) => lines && lined.has(address >> shift) };
}

/** The shape of the trees of a stage. Throws a RangeError where the setup has none. */
export function geometryOf({ setup }: World, stage: 1 | 2): Geometry {
  const geometry = stage === 1 ? setup.translation.stage1 : setup.translation.stage2;
  if (geometry === null) {
    throw new RangeError(`A context has stage ${stage} on, but the setup has no geometry for it.`);
  }
  return geometry;
}

/** A level number as a Level. Throws a RangeError outside -1 to 3. */
export function levelOf(level: number): Level {
  const known = LEVELS.find((candidate) => candidate === level);
  if (known === undefined) throw new RangeError(`there is no translation table level ${level}`);
  return known;
}
