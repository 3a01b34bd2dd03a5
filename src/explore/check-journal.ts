import type { Features } from '../arm64/features.ts';
import type { Candidate } from '../candidates/candidate.ts';
import type { BoundsMet } from '../machine/bounds-met.ts';
import { ruleById } from '../rules/all-rules.ts';
import { isInputError, type InputError } from '../scenario/input-error.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { checkScenario, type Checked, type CheckUse, type Verdict } from './check.ts';
import { watchFeatures } from './features-read.ts';
import { ForeignSnapshot, LeftToOne, type CheckSnapshot } from './kept-check.ts';
import type { SearchLimits } from './search.ts';
import { findWithCrew, type Crew } from './shared-search.ts';

/**
 * One check of a verification, and what came of it, as plain data: they can be sent to another thread,
 * and kept for a run that goes on where this one was stopped.
 */
export interface CheckTask {
  readonly scenario: Scenario;
  /** Ids of the rules. */
  readonly rules: readonly string[];
  /** Most states of one search. */
  readonly states: number;
  /** Most preemptions of a run; any number when not given. */
  readonly switches?: number;
}

/** What a check found. It is a function of the task, the candidate and this program. */
export interface CheckRecord {
  readonly outcomes: readonly {
    readonly rule: string;
    readonly verdict: Verdict;
    readonly message: string | null;
  }[];
  readonly states: number;
  /** As in `Checked`. */
  readonly cut: boolean;
  readonly boundsMet: BoundsMet;
  /** Features the machine and the candidate looked at. */
  readonly read: readonly (keyof Features)[];
}

/** Checks that need not be made again. */
export interface CheckJournal {
  recall(task: CheckTask): CheckRecord | null;
  /** A check has been made. */
  record(task: CheckTask, record: CheckRecord): void;
  /** Keeps a check while it is made; null when it is made from the beginning to the end. */
  readonly keeper?: (task: CheckTask) => TaskKeeper | null;
}

/** A check in the middle: `CheckSnapshot`, and the features looked at so far. */
export interface TaskSnapshot extends CheckSnapshot {
  readonly read: CheckRecord['read'];
}

/** As `CheckKeeper`. */
export interface TaskKeeper {
  readonly from: TaskSnapshot | null;
  readonly offer: (snapshot: () => TaskSnapshot) => void;
  /** `from` does not belong to this check, which is begun anew. */
  readonly isForeign: () => void;
}

/** Equal for equal tasks. */
export function checkKey(task: CheckTask): string {
  return JSON.stringify(task);
}

/** How a check is made, when not from its beginning to its end by one thread. */
export interface TaskUse {
  readonly keeper?: TaskKeeper | null;
  readonly crew?: Crew | null;
}

/** Makes a check, or goes on with it. */
export function performCheck(
  task: CheckTask,
  candidate: Candidate,
  limits: Pick<SearchLimits, 'expired' | 'watch'>,
  { keeper = null, crew = null }: TaskUse = {},
): CheckRecord | InputError {
  const { scenario, rules, states, switches } = task;
  const read = new Set<keyof Features>(keeper?.from?.read);

  function check(from: CheckSnapshot | null, together: Crew | null): Checked | InputError {
    const noteRead = (feature: keyof Features): void => void read.add(feature);
    const use: CheckUse = {
      ...(keeper === null && from === null
        ? {}
        : {
            keeper: {
              from,
              offer: (snapshot) => keeper?.offer(() => ({ ...snapshot(), read: [...read] })),
            },
          }),
      ...(together === null ? {} : { find: findWithCrew({ crew: together, task, noteRead }) }),
    };
    try {
      return checkScenario(
        { ...scenario, features: watchFeatures(scenario.features, read) },
        candidate,
        rules.flatMap((id) => ruleById(id) ?? []),
        { ...limits, states, ...(switches === undefined ? {} : { switches }) },
        undefined,
        use,
      );
    } catch (problem) {
      if (problem instanceof LeftToOne) return check(problem.from, null);
      if (!(problem instanceof ForeignSnapshot)) throw problem;
      keeper?.isForeign();
      return check(null, together);
    }
  }

  const checked = check(keeper?.from ?? null, crew);
  if (isInputError(checked)) return checked;
  return {
    outcomes: checked.outcomes.map(({ rule, verdict, message }) => ({
      rule: rule.id,
      verdict,
      message,
    })),
    states: checked.states,
    cut: checked.cut,
    boundsMet: checked.boundsMet,
    read: [...read],
  };
}
