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

/** Scenarios of the library that `npm test` looks at on the second machine. */
const SHORT = 5;

/** The scenarios in which a candidate that holds is looked at. */
export function scenariosOf(candidate: Candidate, features: Features): readonly NamedScenario[] {
  const library = scenarioLibrary(candidate, features);
  const [first] = library;
  if (!PROVE && features === OTHER_MACHINE) return library.slice(0, SHORT);
  if (!PROVE || first === undefined || candidate.operation !== 'unmap') return library;
  const larger = LARGER.map((change): NamedScenario => ({
    name: `${first.name}; ${JSON.stringify(change)}`,
    scenario: { ...first.scenario, ...change },
  }));
  return [...library, ...larger];
}
