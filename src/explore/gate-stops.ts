import type { Features } from '../arm64/features.ts';
import type { Diagnostic } from '../frontend/kernel-c/diagnostic.ts';
import { type FileChange, lineInOther } from './gate-change.ts';
import type { GateResult } from './gate-result.ts';
import type { SideRun } from './gate.ts';

/** A place at which the C came to something without a meaning, and who came to it. */
export interface Stop {
  /** As patched, where there is a patched side that stops there. */
  readonly diagnostic: Diagnostic;
  /** On which sides: a patch has nothing to do with what stops on both. */
  readonly sides: 'base' | 'patched' | 'both';
  /** Names of scenarios, each with the machines on which it stops there. */
  readonly scenarios: ReadonlyMap<string, readonly Features[]>;
}

/** Whether two sides stopped at one place, for one reason; also where neither stopped. */
export function stopsAlike(
  before: Diagnostic | null,
  after: Diagnostic | null,
  changes: readonly FileChange[],
): boolean {
  if (before === null || after === null) return before === after;
  if (before.message !== after.message) return false;
  const change = changes.find(({ oldPath }) => oldPath === before.file);
  if (change === undefined) return before.file === after.file && before.line === after.line;
  return change.path === after.file && lineInOther(change, 'before', before.line) === after.line;
}

/** Every stop once. */
export function stopsOf({ patch, result }: Pick<GateResult, 'patch' | 'result'>): readonly Stop[] {
  const stops: { diagnostic: Diagnostic; sides: Stop['sides']; scenarios: Scenarios }[] = [];
  const changes = patch?.changes ?? [];
  for (const run of result.runs) {
    const { stopped } = run;
    if (stopped === null) continue;
    let known = stops.find(({ diagnostic }) => isSame(diagnostic, stopped));
    if (known === undefined) {
      known = { diagnostic: stopped, sides: run.side, scenarios: new Map() };
      stops.push(known);
    }
    note(known.scenarios, run);
  }
  for (const run of patch?.base.runs ?? []) {
    const { stopped } = run;
    if (stopped === null) continue;
    let known = stops.find(({ diagnostic, sides }) =>
      sides === 'base' ? isSame(diagnostic, stopped) : stopsAlike(stopped, diagnostic, changes),
    );
    if (known === undefined) {
      known = { diagnostic: stopped, sides: 'base', scenarios: new Map() };
      stops.push(known);
    } else if (known.sides === 'patched') known.sides = 'both';
    note(known.scenarios, run);
  }
  return stops;
}

type Scenarios = Map<string, readonly Features[]>;

function note(scenarios: Scenarios, { scenario: { name }, features }: SideRun): void {
  const known = scenarios.get(name) ?? [];
  if (!known.includes(features)) scenarios.set(name, [...known, features]);
}

function isSame(a: Diagnostic, b: Diagnostic): boolean {
  return a.file === b.file && a.line === b.line && a.message === b.message;
}
