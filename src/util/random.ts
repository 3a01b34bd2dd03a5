/**
 * A small source of pseudo-random numbers: a 32-bit counter behind a mixing function (splitmix32,
 * after Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). All it returns is
 * a function of the seed, so a run can be had again from the seed alone.
 */
export interface Random {
  /** A natural number below `bound`. */
  below(bound: number): number;
  /** True with probability `numerator / denominator`. */
  chance(numerator: number, denominator: number): boolean;
  /** A seed for a source of its own. */
  fork(): number;
}

/** The source of a seed. */
export function randomFrom(seed: number): Random {
  let counter = seed | 0;

  function next(): number {
    counter = (counter + 0x9e3779b9) | 0;
    let mixed = counter ^ (counter >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }

  // Bounds are small, so the bias of the multiplication is below 2^-20.
  const below = (bound: number): number => Math.floor((next() / 0x1_0000_0000) * bound);
  return {
    below,
    chance: (numerator, denominator) => below(denominator) < numerator,
    fork: next,
  };
}
