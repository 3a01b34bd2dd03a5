import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DEFAULT_FEATURES, type Features } from '../../../src/arm64/features.ts';
import { levelShift, type Level } from '../../../src/arm64/geometry.ts';
import { GRANULES } from '../../../src/arm64/granule.ts';
import { tlbi } from '../../../src/arm64/tlbi.ts';
import { tlbiMatches } from '../../../src/arm64/tlbi-match.ts';

/**
 * What an IPA form removes of the walk of a page depends on how far both go through the same entries,
 * and under one reading on where the named page is the first: that is all a token keeps of it.
 */
it.each([true, false])('hits depend on what the walks share (any IPA drops tables: %s)', (any) => {
  const address = fc.bigInt({ min: 0n, max: (1n << 40n) - 1n });
  fc.assert(
    fc.property(
      fc.constantFrom(...GRANULES),
      address,
      // Near the page, at each distance as likely.
      fc.nat({ max: 39 }),
      address,
      fc.constantFrom(0, 1, 2, 3),
      fc.boolean(),
      fc.constantFrom('IPAS2E1IS', 'IPAS2LE1IS', 'IPAS2E1'),
      (granule, ipa, distance, noise, l, leaf, name) => {
        const level = l as Level;
        fc.pre(level > 0 || granule === '4k');
        const features: Features = { ...DEFAULT_FEATURES, granule, readingTableDropByAnyIpa: any };
        const named = ipa ^ (noise & ((1n << BigInt(distance + 1)) - 1n));
        const bits = levelShift(granule, level);
        const inputBase = (ipa >> BigInt(bits)) << BigInt(bits);
        const op = tlbi(name);
        const hit = tlbiMatches(
          op,
          named >> 12n,
          { vmid: 1, granule, features },
          {
            regime: 'el1&0',
            stages: 's2',
            leaf,
            level,
            vmid: 1,
            asid: null,
            inputBase,
            inputBits: bits,
          },
        );
        const shares = named >> BigInt(bits) === ipa >> BigInt(bits);
        const isFirst = (named - inputBase) >> BigInt(levelShift(granule, 3)) === 0n;
        const expected = shares && (leaf || (!op.lastLevelOnly && (any || isFirst)));
        expect(hit).toBe(expected);
      },
    ),
    { numRuns: 500 },
  );
});
