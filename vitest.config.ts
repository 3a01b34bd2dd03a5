import { defineConfig } from 'vitest/config';

/**
 * Two projects: `unit` tests the verifier (test/), `properties` states what is verified with it
 * (properties/). The model is pure, so threads without isolation are safe and quick.
 */
export default defineConfig({
  test: {
    reporters: ['default', './test/plain-summary-reporter.ts'],
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          pool: 'threads',
          isolate: false,
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'properties',
          include: ['properties/**/*.test.ts'],
          pool: 'threads',
          isolate: false,
          testTimeout: 600_000,
        },
      },
    ],
  },
});
