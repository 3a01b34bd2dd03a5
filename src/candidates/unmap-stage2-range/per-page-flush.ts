import { HOLDS, type Candidate } from '../candidate.ts';
import { dsb } from '../host-code.ts';
import { mapEffects } from '../map-effects.ts';
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

/** `__tlbi` of v5.8 on the cores it knows to have the erratum: TLBI; DSB; TLBI. */
const withRepeat = unmapCandidate({
  name: 'per-page-flush-repeat-tlbi',
  title: 'v5.8 on a core it knows to need each TLBI twice',
  reference: ['d9ff80f83ecb', 'ce8c80c536da'],
  expected: () => HOLDS,
  why:
    'With ARM64_WORKAROUND_REPEAT_TLBI the macro issues every TLBI, a DSB, and the TLBI again; after ' +
    'the second pair with its DSB the accesses through the removed entry are complete.',
  plan: () => V5_8_UNMAP,
  repeats: true,
});

/** The baseline with the workaround in its TLBI macro. */
export const perPageFlushRepeatTlbi: Candidate = {
  ...withRepeat,
  host: (kvm, request) =>
    mapEffects(withRepeat.host(kvm, request), (effect) =>
      effect.kind === 'tlbi'
        ? [effect, dsb('full', 'ish', { ...effect.location, text: 'dsb(ish) of __tlbi' }), effect]
        : [effect],
    ),
};
