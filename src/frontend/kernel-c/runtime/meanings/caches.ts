import { constant } from '../../../../program/expr.ts';
import { type Call, type Meanings, result, step } from '../call.ts';
import { physicalOf } from '../memory.ts';
import { after, type Reaction, type Step, stopWith } from '../reaction.ts';

/** Cache maintenance that the kernel has in assembly (`arch/arm64/mm/cache.S`). */
export const CACHES: Meanings = [
  ['__flush_dcache_area', (call) => cleanInvalidate(call, 'size')],
  ['dcache_clean_inval_poc', (call) => cleanInvalidate(call, 'end')],
  ['icache_inval_pou', invalidateInstructions],
  // Its name before 5.14.
  ['invalidate_icache_range', invalidateInstructions],
];

/** DC CIVAC over an area that is given by its size or its end, then DSB SY. */
function cleanInvalidate(call: Call, second: 'size' | 'end'): Reaction {
  const lines = linesOf(call, second);
  if (lines === null) return outside(call);
  const clean = lines.map((line) =>
    step(
      { kind: 'dc', op: 'civac', at: { kind: 'physical', address: constant(line) } },
      'dc civac',
    ),
  );
  return after([...clean, wait('sy')], result(call, 0n));
}

/** IC IVAU over an area and DSB ISH, left out where no invalidation is needed; then ISB. */
function invalidateInstructions(call: Call): Reaction {
  const lines = linesOf(call, 'end');
  if (lines === null) return outside(call);
  const synchronise = step({ kind: 'isb' }, 'isb');
  if (call.environment.features.dic) return after([synchronise], result(call, 0n));
  const invalidate = lines.map((line) =>
    step({ kind: 'ic', op: 'ivau', at: { kind: 'physical', address: constant(line) } }, 'ic ivau'),
  );
  return after([...invalidate, wait('ish'), synchronise], result(call, 0n));
}

/** The lines of the area that somebody looks at; `null` when it is not in the linear map. */
function linesOf(
  { argument, environment }: Call,
  second: 'size' | 'end',
): readonly bigint[] | null {
  const base = physicalOf(environment, argument(0));
  if (base === null) return null;
  const bytes = second === 'size' ? argument(1) : argument(1) - argument(0);
  return environment.watchedLines(base, bytes);
}

function wait(domain: 'sy' | 'ish'): Step {
  return step({ kind: 'dsb', limit: 'full', domain, nXS: false }, `dsb(${domain})`);
}

function outside({ event }: Call): Reaction {
  return stopWith(`${event.name}() outside of the linear map`);
}
