import { FEATURE_DEFINITIONS, type Features } from '../arm64/features.ts';
import type { Candidate } from '../candidates/candidate.ts';
import type { FeatureRun, RuleResult, ScenarioRun, Verification } from '../explore/verify.ts';
import type { Rule } from '../rules/rule.ts';
import { FORMAT } from '../scenario/codec.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Label } from '../trace/label.ts';
import { boundsMetJson, type BoundedSearch } from './bounds-met-text.ts';
import { notesFor } from './limits.ts';
import { unexpectedRuns } from './expected.ts';

/** The run that shows a refutation, where one was made. */
export interface JsonTrace {
  readonly labels: readonly Label[];
  readonly scenario: Scenario | null;
  readonly minimal: boolean;
}

/** Every feature by its name on the command line. */
export function featuresJson(features: Features): { readonly [name: string]: string } {
  return Object.fromEntries(
    FEATURE_DEFINITIONS.map((definition) => [definition.name, definition.read(features)]),
  );
}

/** The one object that `verify --json` prints: the contract for scripts. */
export function verificationJson(
  verification: Verification,
  traceOf: (run: FeatureRun, result: RuleResult) => JsonTrace | null,
): Readonly<Record<string, unknown>> {
  const { candidate, verdict, runs, collapsed, statesPerSearch, switches } = verification;
  return {
    format: FORMAT,
    candidate: candidate.id,
    verdict,
    asExpected: unexpectedRuns(verification).length === 0,
    runs: runs.flatMap((run) =>
      run.results.map((result) => {
        const trace = traceOf(run, result);
        return {
          features: featuresJson(run.features),
          rule: result.rule.id,
          verdict: result.verdict,
          bounds: boundsJson(run, statesPerSearch, switches),
          states: result.states,
          trace: trace?.labels ?? [],
          ...(trace === null ? {} : { minimal: trace.minimal }),
          ...(result.message === null ? {} : { message: result.message }),
          ...(result.refutedIn === null ? {} : { scenario: result.refutedIn.name }),
        };
      }),
    ),
    featuresThatCannotMatter: collapsed,
    notes: notesFor(runs.map((run) => run.features)),
  };
}

/**
 * The bounds a verdict holds within. `switches`: most preemptions of a run, where they were bounded; it is
 * said whether there were runs with more.
 */
export function boundsJson(run: FeatureRun, statesPerSearch: number, switches?: number): unknown {
  const most = (read: (scenario: Scenario) => number): number =>
    Math.max(0, ...run.scenarios.map(({ scenario }) => read(scenario)));
  return {
    scenarios: run.scenarios.map(({ name }) => name),
    pes: most((s) => s.hosts + s.vcpus + (s.secondVm ? 1 : 0)),
    vcpus: most((s) => s.vcpus),
    pages: most((s) => s.pages),
    window: most((s) => s.window),
    ...boundsMetJson(run.scenarios.map(boundedSearch)),
    statesPerSearch,
    ...(switches === undefined
      ? {}
      : { switches, switchesReached: run.scenarios.some(({ cut }) => cut) }),
  };
}

/** The search of a scenario with its bound. */
export function boundedSearch({ name, scenario, boundsMet }: ScenarioRun): BoundedSearch {
  return { name, window: scenario.window, boundsMet };
}

/** What `list --json` prints. */
export function listJson(
  candidates: readonly Candidate[],
  rules: readonly Rule[],
  machines: readonly Features[],
): unknown {
  return {
    format: FORMAT,
    candidates: candidates.map((candidate) => ({
      id: candidate.id,
      title: candidate.title,
      operation: candidate.operation,
      expected: expectedJson(candidate, machines),
      mirrors: candidate.mirrors,
      reference: candidate.reference,
    })),
    rules: rules.map(({ id, family, statement }) => ({ id, family, statement })),
  };
}

function expectedJson(candidate: Candidate, machines: readonly Features[]): unknown {
  const expectations = machines.map((features) => ({ features, ...candidate.expected(features) }));
  const refuted = expectations.filter(({ verdict }) => verdict === 'refuted');
  const conditions = new Set<string>();
  const families = new Set<string>();
  for (const expectation of expectations) {
    if (expectation.verdict !== 'refuted') continue;
    for (const { rule, condition } of expectation.refutations) {
      families.add(rule);
      conditions.add(condition);
    }
  }
  return {
    verdict: refuted.length === 0 ? 'verified' : 'refuted',
    ...(refuted.length === 0 ? {} : { rules: [...families], conditions: [...conditions] }),
    byFeatures: expectations.map(({ features, verdict }) => ({
      features: {
        fwb: features.fwb ? 'on' : 'off',
        vhe: features.vhe ? 'on' : 'off',
        granule: features.granule,
      },
      verdict: verdict === 'holds' ? 'verified' : 'refuted',
    })),
  };
}
