import {
  checkKey,
  type CheckJournal,
  type CheckRecord,
  type CheckTask,
} from '../explore/check-journal.ts';
import { NO_BOUNDS_MET } from '../machine/bounds-met.ts';
import { verify, type VerifyRequest } from '../explore/verify.ts';
import { performChecks, type WorkerStart } from './check-pool.ts';

/** What stands for a check that has not been made: nothing is known, nothing was looked at. */
const UNKNOWN: CheckRecord = {
  outcomes: [],
  states: 0,
  cut: false,
  boundsMet: NO_BOUNDS_MET,
  read: [],
};

/**
 * Makes the checks of a verification on several threads and returns a journal of them, from which
 * `verify` then has its verdict without a search of its own. Which checks there are is found by asking
 * `verify`: first those of the matrix, then, when it is known which features were looked at, those of
 * single changes. So the result is that of one thread, whatever the order in which threads finish.
 */
export async function sharedChecks(
  request: VerifyRequest,
  threads: number,
  start: WorkerStart,
): Promise<CheckJournal> {
  const known = new Map<string, CheckRecord>();
  const journal: CheckJournal = {
    recall: (task) => request.journal?.recall(task) ?? known.get(checkKey(task)) ?? null,
    record: (task, record) => request.journal?.record(task, record),
    keeper: (task) => request.journal?.keeper?.(task) ?? null,
  };
  const asked = new Set<string>();
  for (;;) {
    const missing: CheckTask[] = [];
    const plan: CheckJournal = {
      recall(task) {
        const record = journal.recall(task);
        if (record !== null) return record;
        const key = checkKey(task);
        if (!asked.has(key)) missing.push(task);
        asked.add(key);
        return UNKNOWN;
      },
      record: () => undefined,
    };
    const { onProgress: _, ...quiet } = request;
    verify({ ...quiet, journal: plan });
    if (missing.length === 0) return journal;
    await performChecks(
      missing,
      threads,
      start,
      (task, record) => {
        known.set(checkKey(task), record);
        request.journal?.record(task, record);
      },
      (progress) => request.onSearch?.(progress),
    );
  }
}
