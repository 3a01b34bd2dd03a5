import { describe, expect, it } from 'vitest';
import { DEFAULT_FEATURES } from '../../../src/arm64/features.ts';
import { CANDIDATES, findCandidate } from '../../../src/candidates/catalogue.ts';
import { bothVerdicts } from './agreement.ts';

/** Without the lock nothing may be reduced, and the plain search is long: see properties/. */
const LONG = new Set(['unmap-stage2-range/without-lock']);

/** There all views with stage 1 on are cacheable ones. */
const WITH_FWB = { ...DEFAULT_FEATURES, fwb: true };

const REACHED = CANDIDATES.filter(
  ({ id, operation }) => operation !== 'fault' && operation !== 'block' && !LONG.has(id),
);

describe('the summary says what plain exploration says, rule by rule', () => {
  it.each(REACHED.map((candidate) => [candidate.id, candidate] as const))('%s', (_, candidate) => {
    const both = bothVerdicts(candidate, DEFAULT_FEATURES, 1, 1);
    if (typeof both === 'string') throw new Error(both);
    expect(both.summary).toEqual(both.concrete);
  });

  it.each([
    ['unmap-stage2-range/deferred-range-flush', 2, 1],
    ['unmap-stage2-range/range-without-middle-dsb', 1, 2],
  ] as const)('%s with %i pages and %i vCPUs', (id, pages, vcpus) => {
    const candidate = findCandidate(id);
    if (candidate === null) throw new Error(`no candidate ${id}`);
    const both = bothVerdicts(candidate, WITH_FWB, pages, vcpus, ['mmu-off', 'cacheable']);
    if (typeof both === 'string') throw new Error(both);
    expect(both.summary).toEqual(both.concrete);
  });
});
