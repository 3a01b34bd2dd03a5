import fc from 'fast-check';
import { DEFAULT_FEATURES, type Features } from '../../src/arm64/features.ts';
import { GRANULES, type Granule } from '../../src/arm64/granule.ts';
import { LEVELS, type Level } from '../../src/arm64/geometry.ts';

/** Features that change how descriptors and operands are laid out, every combination. */
export const layoutFeatures: fc.Arbitrary<Features> = fc
  .record({
    lpa: fc.boolean(),
    lpa2: fc.boolean(),
    fwb: fc.boolean(),
    xs: fc.boolean(),
    ttl: fc.boolean(),
    e2h: fc.boolean(),
    bbm: fc.constantFrom<0 | 1 | 2>(0, 1, 2),
    readingTableDropByAnyIpa: fc.boolean(),
  })
  .map((some) => ({ ...DEFAULT_FEATURES, ...some }));

export const anyGranule: fc.Arbitrary<Granule> = fc.constantFrom(...GRANULES);

export const anyLevel: fc.Arbitrary<Level> = fc.constantFrom(...LEVELS);

/** The default machine with some features changed. */
export function machine(some: Partial<Features>): Features {
  return { ...DEFAULT_FEATURES, ...some };
}
