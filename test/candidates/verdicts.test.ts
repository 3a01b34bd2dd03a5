import { describe, expect, it } from 'vitest';
import { DEFAULT_FEATURES, type Features } from '../../src/arm64/features.ts';
import type { Need } from '../../src/candidates/candidate.ts';
import { CANDIDATES } from '../../src/candidates/catalogue.ts';
import { verdictOnMachine } from './on-machine.ts';

describe.each([{ fwb: false }, { fwb: true }])('fwb: $fwb', ({ fwb }) => {
  const features: Features = { ...DEFAULT_FEATURES, fwb, ttl: true };
  it.each(CANDIDATES)('$id', (candidate) => {
    const expected = candidate.expected(features);
    if (expected.verdict === 'holds') {
      const needs: readonly Need[] =
        candidate.id === 'memory-fault/install-under-lock' ? ['notified-fault-path'] : [];
      expect(verdictOnMachine(candidate, features, needs)).toBe('exhausted');
      return;
    }
    const [first] = expected.refutations;
    if (first.rule === 'P8') return;
    expect(verdictOnMachine(candidate, features, first.needs)).toBe(first.rule);
  });
});
