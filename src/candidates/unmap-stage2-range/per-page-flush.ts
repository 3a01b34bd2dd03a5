import { HOLDS, type Candidate } from '../candidate.ts';
import { unmapCandidate } from './unmap-candidate.ts';
import { V5_8_UNMAP } from '../kvm-v5_8/unmap-v5_8.ts';

/** The baseline: the path as v5.8 has it. */
export const perPageFlush: Candidate = unmapCandidate({
  name: 'per-page-flush',
  title: 'v5.8: flush after each cleared entry',
  reference: ['v5.8-rc7, blobs 8c0035cab6b6 and d063a576d511'],
  expected: () => HOLDS,
  why:
    'Each entry is cleared, then one IPA is invalidated in stage 2, then all of stage 1, each with ' +
    'a completed DSB, before anything else happens to the page: an access through the old ' +
    'translation is complete, and no new one is possible, before the cache maintenance, before the ' +
    'count of the table drops, before the lock is given away and before the return.',
  plan: () => V5_8_UNMAP,
});
