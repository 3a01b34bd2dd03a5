import { DEFAULT_FEATURES, type Features } from '../arm64/features.ts';
import { levelShift, LEVELS, type Level } from '../arm64/geometry.ts';
import { bitsPerLevel, pageShift } from '../arm64/granule.ts';
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
 * The setup does not say which TLBI features exist; an operand means what it means with TTL and
 * ranges. Only words in pages of use `guest`, `free` and `device` get cache lines: every other page
 * is only ever reached through cacheable aliases, where a line shows one value to everybody.
 */
export function worldOf(setup: MachineSetup): World {
  const refused = refusal(setup);
  if (refused !== null) throw new RangeError(refused);
  const { granule, fwb, ets, bbm } = setup.translation;
  const shift = BigInt(pageShift(granule));
  const lined = new Set(
    setup.pages
      .filter(({ use }) => use === 'guest' || use === 'free' || use === 'device')
      .map(({ base }) => base >> shift),
  );
  const lines = setup.dataCache === 'modelled';
  return {
    setup,
    features: {
      ...DEFAULT_FEATURES,
      granule,
      fwb,
      ets,
      bbm,
      ttl: true,
      tlbiRange: true,
      tlbiOs: true,
      readingTableDropByAnyIpa: setup.translation.tableDropByAnyIpa,
      readingFillOutOfContext: setup.translation.fillOutOfContext,
    },
    hasLines: (address) => lines && lined.has(address >> shift),
  };
}

/** A level number as a Level. Throws a RangeError outside -1 to 3. */
export function levelOf(level: number): Level {
  const known = LEVELS.find((candidate) => candidate === level);
  if (known === undefined) throw new RangeError(`there is no translation table level ${level}`);
  return known;
}

/**
 * Address of the descriptor cell for an input address. In the root the index takes all remaining
 * address bits: the setup has no input size, and addresses of a scenario are in range.
 */
export function cellAddress(
  world: World,
  table: bigint,
  input: bigint,
  level: Level,
  isRoot: boolean,
): bigint {
  const { granule } = world.features;
  const index = input >> BigInt(levelShift(granule, level));
  const entries = 1n << BigInt(bitsPerLevel(granule));
  return table + (isRoot ? index : index % entries) * 8n;
}
