import { pageBytes } from '../../arm64/granule.ts';
import { loopThreshold } from '../../arm64/tlbi-loop.ts';
import { HOLDS, refuted, type Candidate, type Expectation } from '../candidate.ts';
import { SEED_RANGE_FLUSH, type RangeFlushForm } from '../kvm-v5_8/range-flush.ts';
import { twoPassesWith } from './deferred-forms.ts';
import { SEED_REFERENCE } from './deferred-range-flush.ts';
import { unmapCandidate } from './unmap-candidate.ts';

// A deferral that is right, with one thing changed in its range flush.

/** A candidate that differs in its range flush only. */
function rangeFlushForm(form: {
  readonly name: string;
  readonly title: string;
  readonly expected: Expectation;
  readonly why: string;
  readonly change: Partial<RangeFlushForm>;
}): Candidate {
  return unmapCandidate({
    name: form.name,
    title: `two passes, ${form.title}`,
    reference: SEED_REFERENCE,
    expected: () => form.expected,
    why: form.why,
    plan: () => twoPassesWith({ ...SEED_RANGE_FLUSH, ...form.change }),
  });
}

export const rangeWithoutMiddleDsb: Candidate = rangeFlushForm({
  name: 'range-without-middle-dsb',
  title: 'no DSB between the stage-2 and the stage-1 invalidation',
  expected: refuted({
    rule: 'P1',
    condition: 'when a PE walks while the two invalidations are under way',
    needs: ['kept-tables'],
  }),
  why:
    'Nothing orders the two TLBIs. The stage-1 one may reach a PE first; the PE then builds a new ' +
    'combined entry from the stage-2 entry that is still there, and IPAS2E1IS need not remove it ' +
    '(R_TVTYQ).',
  change: { middleDsb: false },
});

export const rangeStage1First: Candidate = rangeFlushForm({
  name: 'range-stage1-first',
  title: 'stage 1 invalidated before stage 2',
  expected: refuted({
    rule: 'P1',
    condition: 'when a PE walks between the two invalidations',
    needs: ['kept-tables'],
  }),
  why:
    'After the stage-1 invalidation a combined entry can be rebuilt from the old stage-2 entry, and ' +
    'the stage-2 invalidation by IPA that follows need not remove combined entries (R_TVTYQ).',
  change: { order: 'stage1-first' },
});

export const rangeLargeStage1Only: Candidate = rangeFlushForm({
  name: 'range-large-stage1-only',
  title: 'the large branch uses the stage-1 operation only',
  expected: refuted({
    rule: 'P1',
    condition: 'for a range of at least 512 pages',
    needs: ['wide-range', 'adjacent-pages', 'kept-tables'],
  }),
  why: 'VMALLE1IS leaves entries that hold stage-2 information only; combined ones are rebuilt from them.',
  change: { wholeOp: 'VMALLE1IS' },
});

export const rangeLocal: Candidate = rangeFlushForm({
  name: 'range-local',
  title: 'local instead of broadcast invalidation',
  expected: refuted({
    rule: 'P1',
    condition: 'when the vCPU runs on another PE than the host code',
    needs: ['kept-tables'],
  }),
  why: 'Without the IS suffix a TLBI acts on the issuing PE alone; with one PE it would pass.',
  change: { stage2Op: 'IPAS2E1', stage1Op: 'VMALLE1', wholeOp: 'VMALLS12E1' },
});

export const rangeStepUnit: Candidate = rangeFlushForm({
  name: 'range-step-unit',
  title: 'a step of one 4 KiB unit for every granule',
  expected: HOLDS,
  why: 'With larger pages each page gets 4 or 16 operands instead of one: slow, and right.',
  change: { step: () => 1n },
});

export const rangeStepBytes: Candidate = rangeFlushForm({
  name: 'range-step-bytes',
  title: 'a step of one page in bytes instead of units',
  expected: refuted({
    rule: 'P1',
    condition: 'for a range of at least two pages in one top-level entry',
    needs: ['adjacent-pages'],
  }),
  why:
    'The operand counts in units of 4 KiB; a step of PAGE_SIZE units skips 4096 units or more, so ' +
    'only the first page of the range is invalidated.',
  change: { step: pageBytes },
});

export const rangeWithoutThreshold: Candidate = rangeFlushForm({
  name: 'range-without-threshold',
  title: 'no large branch',
  expected: HOLDS,
  why: 'One operation per page for any size: time with interrupts off, not safety.',
  change: { threshold: () => null },
});

export const rangeEndRoundedDown: Candidate = rangeFlushForm({
  name: 'range-end-rounded-down',
  title: 'the end rounded down to a page',
  expected: refuted({
    rule: 'P1',
    condition: 'for a range that ends inside a page, which no caller of v5.8 asks for',
    needs: ['unaligned-end', 'kept-tables'],
  }),
  why:
    'The walk removes the page that the range ends in, the flush stops before it. With 4 KiB pages ' +
    'the shift of the operand alone rounds down, so there the seed has the same weakness.',
  change: { roundEnd: (end, granule) => end - (end % pageBytes(granule)) },
});

export const rangeEndRoundedUp: Candidate = rangeFlushForm({
  name: 'range-end-rounded-up',
  title: 'the end rounded up to a page',
  expected: HOLDS,
  why: 'The good twin: the flush covers every page the range touches, also for unaligned input.',
  change: {
    roundEnd: (end, granule) => {
      const bytes = pageBytes(granule);
      return ((end + bytes - 1n) / bytes) * bytes;
    },
  },
});

export const rangeThresholdInUnits: Candidate = rangeFlushForm({
  name: 'range-threshold-in-units',
  title: 'the threshold of 512 taken in 4 KiB units for every granule',
  expected: HOLDS,
  why:
    'With larger pages the large branch is taken sooner. Both branches remove everything of the ' +
    'range, so where the line is drawn is a question of cost.',
  change: { threshold: () => loopThreshold('4k') },
});
