import { type Features, showFeatureDifferences } from '../arm64/features.ts';
import type { GateResult } from '../explore/gate-result.ts';
import type { SideRun } from '../explore/gate.ts';
import { FORMAT } from '../scenario/codec.ts';
import { featuresJson } from './json.ts';
import { boundsMetJson, type BoundedSearch } from './bounds-met-text.ts';
import { notesFor } from './limits.ts';

/** The one object that `patch --json` and `tree --json` print: the contract for scripts. */
export function gateJson(gate: GateResult): unknown {
  const { patch, result, rules } = gate;
  const runs = [...(patch?.base.runs ?? []), ...result.runs];
  const change = new Map(
    patch?.compared.map((one) => [`${runKey(one.patched)} ${one.rule.id}`, one.change]),
  );
  return {
    format: FORMAT,
    verdict: gate.verdict,
    profile: gate.profile,
    notRun: gate.notRun.map(({ name }) => name),
    runs: runs.flatMap((run) =>
      rules.map((rule) => {
        const outcome = run.outcomes.find((one) => one.rule === rule);
        const what = run.side === 'patched' ? change.get(`${runKey(run)} ${rule.id}`) : undefined;
        return {
          scenario: run.scenario.name,
          features: featuresJson(run.features),
          side: run.side,
          rule: rule.id,
          verdict: outcome?.verdict ?? 'inconclusive',
          ...(what === undefined ? {} : { change: what }),
          ...(outcome?.message == null ? {} : { message: outcome.message }),
          ...(run.stopped === null ? {} : { stopped: run.stopped }),
          windowReached: run.boundsMet.window,
          source: (run.sources.get(rule.id) ?? []).map(({ file, line }) => ({ file, line })),
        };
      }),
    ),
    coverage: coverageJson(gate),
    ...(patch?.effect == null
      ? {}
      : {
          effect: {
            compared: patch.effect.compared,
            changed: [...new Set(patch.effect.changed.map(({ key }) => key))].sort(),
          },
        }),
    cost: costJson(gate),
    assumed: gate.assumed,
    ...(patch === null
      ? {}
      : {
          patch: patch.files.map(({ path, base, hunks, exactResult }) => ({
            path,
            base,
            exactResult,
            hunks: hunks.map((hunk) =>
              hunk.kind === 'applied'
                ? { hunk: hunk.hunk, line: hunk.line, offset: hunk.offset }
                : { hunk: hunk.hunk, line: hunk.line, why: hunk.why },
            ),
          })),
        }),
    bounds: { statesPerSearch: gate.statesPerSearch, ...boundsMetJson(runs.map(boundedRun)) },
    impossible: result.impossible.map(({ scenario, features, reason }) => ({
      scenario,
      features: featuresJson(features),
      reason,
    })),
    notes: notesFor(gate.machines),
  };
}

/** A run with its bound. */
export function boundedRun({ scenario, boundsMet }: SideRun): BoundedSearch {
  return { name: scenario.name, window: scenario.situation.window, boundsMet };
}

function coverageJson({ patch }: GateResult): unknown {
  if (patch === null) return { added: 0, executed: 0, missed: [] };
  const { added, executed, withoutCode, removed, removedExecuted, missed } = patch.coverage;
  return { added, executed, missed, withoutCode, removed, removedExecuted };
}

function costJson({ patch, result, figures }: GateResult): unknown {
  const before = new Map((patch?.base.runs ?? []).map((run) => [runKey(run), run]));
  return {
    scenarios: result.runs.map((run) => {
      const base = before.get(runKey(run));
      return {
        scenario: run.scenario.name,
        features: featuresJson(run.features),
        ...(base === undefined ? {} : { base: base.cost }),
        [run.side]: run.cost,
      };
    }),
    figures: figures.flatMap(({ scenario, machines, before, after }) =>
      machines.map((features) => ({
        scenario,
        features: featuresJson(features),
        ...(patch === null ? { base: after } : { base: before, patched: after }),
      })),
    ),
  };
}

function runKey({ scenario, features }: SideRun): string {
  return `${scenario.name} ${featureKey(features)}`;
}

function featureKey(features: Features): string {
  return JSON.stringify(features);
}

/** What one scenario costs, before and after. */
export interface CostRow {
  readonly scenario: string;
  /** In words; empty where it was counted on one kind of machine. */
  readonly machines: readonly string[];
  readonly operations: readonly {
    readonly operation: string;
    readonly before: number;
    readonly after: number;
  }[];
}

/** The costs on the first machine, and of the scenarios that are only counted. */
export function costRows({ patch, result, machines, figures }: GateResult): readonly CostRow[] {
  const [first] = machines;
  if (first === undefined) return [];
  const counted = result.runs
    .filter(({ features }) => featureKey(features) === featureKey(first))
    .map((run) => {
      const base = patch?.base.runs.find((other) => runKey(other) === runKey(run));
      const before = patch === null ? run.cost : (base?.cost ?? null);
      return { scenario: run.scenario.name, machines: [], before, after: run.cost };
    });
  const counts = figures.map((figure) => ({
    ...figure,
    before: patch === null ? figure.after : figure.before,
    machines: figure.machines.map(
      (features) => showFeatureDifferences(features) || 'the default machine',
    ),
  }));
  return [...counted, ...counts].flatMap(({ scenario, machines: on, before, after }) => {
    if (before === null || after === null) return [];
    const names = new Set([...Object.keys(before.operations), ...Object.keys(after.operations)]);
    const operations = [...names].sort().map((operation) => ({
      operation,
      before: before.operations[operation] ?? 0,
      after: after.operations[operation] ?? 0,
    }));
    const held = {
      operation: 'in all with a lock held',
      before: before.underLock,
      after: after.underLock,
    };
    return [{ scenario, machines: on, operations: [...operations, held] }];
  });
}
