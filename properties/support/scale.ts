import { DEFAULT_FEATURES, type Features } from '../../src/arm64/features.ts';
import type { Candidate } from '../../src/candidates/candidate.ts';
import type { NamedScenario, Overrides } from '../../src/explore/library.ts';
import { scenarioLibrary } from '../../src/explore/library.ts';
import { featureMatrix } from '../../src/explore/matrix.ts';

/** `npm run prove`: larger bounds and the whole matrix. `npm test`: two machines that differ in all of it. */
export const PROVE = process.env['TLBGATE_PROVE'] === '1';

/** Most states of one search. A search that reaches it decides nothing, and its test fails. */
export const LIMITS = { states: PROVE ? 6_000_000 : 400_000 };

const OTHER_MACHINE: Features = {
  ...DEFAULT_FEATURES,
  fwb: true,
  ttl: true,
  granule: '64k',
  vhe: false,
  e2h: false,
};

/** The machines on which a candidate that holds is looked at. */
export const MACHINES: readonly Features[] = PROVE
  ? [...featureMatrix(), ...featureMatrix().map((features) => ({ ...features, ttl: true }))]
  : [DEFAULT_FEATURES, OTHER_MACHINE];

/** More than the library asks for: vCPUs beside each other, pages beside each other. */
const LARGER: readonly Overrides[] = [{ vcpus: 2 }, { pages: 3 }];

/** Forms that `npm test` looks at in the whole library: the baseline, and the deferral most others build on. */
const WHOLE: ReadonlySet<string> = new Set([
  'unmap-stage2-range/per-page-flush',
  'unmap-stage2-range/two-passes',
]);

/** The first scenario of the library (two pages, tables that dissolve, a lock drop) and the small ones. */
function shortLibrary(library: readonly NamedScenario[]): readonly NamedScenario[] {
  return library.filter(
    ({ scenario: { pages, secondVm, freePages } }, i) =>
      i === 0 || (pages === 1 && !secondVm && freePages === 0),
  );
}

/** The scenarios in which a candidate that holds is looked at. */
export function scenariosOf(candidate: Candidate, features: Features): readonly NamedScenario[] {
  const library = scenarioLibrary(candidate, features);
  if (!PROVE) {
    const whole =
      candidate.operation !== 'unmap' || (WHOLE.has(candidate.id) && features === DEFAULT_FEATURES);
    return whole ? library : shortLibrary(library);
  }
  const [first] = library;
  if (first === undefined || candidate.operation !== 'unmap') return library;
  const larger = LARGER.map((change): NamedScenario => ({
    name: `${first.name}; ${JSON.stringify(change)}`,
    scenario: { ...first.scenario, ...change },
  }));
  return [...library, ...larger];
}
