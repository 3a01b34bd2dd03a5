import { drawWeighted, type Strategy } from './strategy.ts';

/**
 * An agent drawn by weight at every step. It is here to compare the others with: long stretches of
 * one agent, which most bugs need, are rare under it.
 */
export const uniform: Strategy = {
  name: 'uniform',
  start: (random) => ({
    pick: (ready) => drawWeighted(random, ready),
    refused: () => undefined,
  }),
};
