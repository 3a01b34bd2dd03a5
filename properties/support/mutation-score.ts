import { DEFAULT_FEATURES, type Features } from '../../src/arm64/features.ts';
import type { Candidate, Need } from '../../src/candidates/candidate.ts';
import { harmlessReason } from '../../src/candidates/mutants/harmless.ts';
import { mutants } from '../../src/candidates/mutants/mutate.ts';
import { perPageFlushRepeatTlbi } from '../../src/candidates/unmap-stage2-range/per-page-flush.ts';
import { rangeWithoutThreshold } from '../../src/candidates/unmap-stage2-range/range-flush-forms.ts';
import { concernsProgress, findViolation, machineOf } from '../../src/explore/check.ts';
import { scenarioWith } from '../../src/explore/library.ts';
import { checkProgress } from '../../src/explore/progress.ts';
import { ALL_RULES } from '../../src/rules/all-rules.ts';
import { progress } from '../../src/rules/progress.ts';
import { isInputError } from '../../src/scenario/input-error.ts';
import { worldOf } from '../../src/scenario/build.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';

/** What became of one mutant. */
export interface MutantFate {
  readonly id: string;
  /** Id of the rule that refutes it; null: it survives in every situation. */
  readonly killedBy: string | null;
  /** Why it does no harm; null: it must be refuted. */
  readonly harmless: string | null;
}

/** A mutant is tried in all of these until one refutes it: what one hides another shows. */
interface Situation {
  readonly features: Features;
  readonly needs: readonly Need[];
  readonly change: Partial<Scenario>;
}

const LIMITS = { states: 100_000 };

/** Swap-out: the content is read, then the page gets another owner. */
const AFTERWARDS: Partial<Scenario> = { afterwards: 'read-then-reuse', reschedule: 'always' };

/** With and without FWB, VHE, tables that go, and blocks; and a VPIPT I-cache with code that runs. */
const UNMAP: readonly Situation[] = [
  ...[false, true].flatMap((fwb) =>
    [true, false].flatMap((keepTables) =>
      (['page', 'block'] as const).map((mapping): Situation => ({
        features: { ...DEFAULT_FEATURES, fwb, ttl: true, vhe: keepTables, e2h: keepTables },
        needs: [],
        change: {
          ...AFTERWARDS,
          keepTables,
          mapping,
          guest: { kind: 'general', kinds: ['write'] },
        },
      })),
    ),
  ),
  ...[false, true].map((fwb): Situation => ({
    features: { ...DEFAULT_FEATURES, fwb, ttl: true },
    needs: ['adjacent-pages', 'kept-tables'],
    change: { ...AFTERWARDS, guest: { kind: 'general', kinds: ['write'] } },
  })),
  {
    features: { ...DEFAULT_FEATURES, fwb: true, ttl: true },
    needs: ['lock-drop', 'freed-tables'],
    change: { ...AFTERWARDS, guest: { kind: 'general', kinds: ['write'] } },
  },
  {
    features: { ...DEFAULT_FEATURES, ttl: true, icache: 'vpipt', vhe: false, e2h: false },
    needs: ['executed-again'],
    change: {},
  },
  {
    features: { ...DEFAULT_FEATURES, ttl: true },
    needs: ['read-again'],
    change: {},
  },
  ...(['page', 'block'] as const).map((mapping): Situation => ({
    features: { ...DEFAULT_FEATURES, ttl: true },
    needs: ['kept-tables', 'read-elsewhere'],
    change: { mapping, reschedule: 'always', guest: { kind: 'general', kinds: ['write'] } },
  })),
  // Two unmaps and a guest that wants the page: what keeps faults out must let them in again.
  {
    features: { ...DEFAULT_FEATURES, fwb: true, ttl: true },
    needs: ['executed-again', 'second-unmap'],
    change: { guest: { kind: 'persistent', access: 'read' }, reschedule: 'never', window: 3 },
  },
];

/** How many situations a mutant is tried in. */
export const SITUATIONS: number = UNMAP.length;

/** Situations in which a mutant with an argument is tried, unless everything is. */
const FEW = 2;

/**
 * All mutants of the host code of a candidate, and what refutes them. A mutant that has an argument
 * why it is harmless is tried in few situations, or in all of them when `thorough`.
 */
export function mutantFates(candidate: Candidate, thorough: boolean): readonly MutantFate[] {
  const killers = new Map<string, string | null>();
  const tried = new Map<string, number>();
  // A form with the workaround is judged on the cores that need it.
  const erratumRepeatTlbi = candidate === perPageFlushRepeatTlbi;
  for (const { features: plain, needs, change } of UNMAP) {
    if (isTooLarge(candidate, needs, change)) continue;
    const features: Features = { ...plain, erratumRepeatTlbi };
    const scenario: Scenario = { ...scenarioWith(candidate, features, needs), ...change };
    for (const { id, candidate: mutant } of mutants(candidate, worldOf(scenario, candidate))) {
      if (killers.get(id) != null) continue;
      const times = tried.get(id) ?? 0;
      if (!thorough && times >= FEW && harmlessReason({ id }) !== null) continue;
      tried.set(id, times + 1);
      killers.set(id, killerOf(scenario, mutant));
    }
  }
  return [...killers].map(([id, killedBy]) => ({ id, killedBy, harmless: harmlessReason({ id }) }));
}

/** 512 TLBIs for a block, beside a reader on another PE: too many states to decide. */
function isTooLarge(
  candidate: Candidate,
  needs: readonly Need[],
  { mapping }: Partial<Scenario>,
): boolean {
  return (
    candidate === rangeWithoutThreshold && needs.includes('read-elsewhere') && mapping === 'block'
  );
}

function killerOf(scenario: Scenario, mutant: Candidate): string | null {
  const machine = machineOf(scenario, mutant);
  if (isInputError(machine)) return null;
  const found = findViolation(machine, ALL_RULES, LIMITS, true);
  if (found.kind === 'limit') throw new Error(`${mutant.id}: no verdict within the limit`);
  if (found.kind === 'violation') return found.rule.id;
  if (!concernsProgress(scenario)) return null;
  const graph = checkProgress(machine, { ...LIMITS, reduced: true });
  if (graph.kind === 'limit') throw new Error(`${mutant.id}: no verdict within the limit`);
  return graph.kind === 'violation' ? progress.id : null;
}
