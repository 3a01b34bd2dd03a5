import { Worker } from 'node:worker_threads';
import type { CheckRecord, CheckTask } from '../explore/check-journal.ts';
import type { SearchProgress } from '../explore/search.ts';
import type { CheckpointOf } from './checkpoint.ts';
import { startHelpers, type CrewStart } from './crew.ts';

/** What every thread is started with. */
export interface WorkerStart {
  /** The candidate: its id, or the path of its module. */
  readonly source: string;
  /** When the time is over, as `Date.now` says it. */
  readonly deadline: number;
  /** Where checks are kept while they are made, or null. */
  readonly checkpoint: CheckpointOf | null;
}

/** What a thread that makes checks is started with. */
export interface CheckerStart extends WorkerStart {
  /** Threads that help with long searches. */
  readonly crew: CrewStart;
}

/** A check for a thread. */
export interface CheckQuestion {
  readonly number: number;
  readonly task: CheckTask;
}

/** Its answer, or how far it is. */
export type CheckAnswer =
  | { readonly kind: 'progress'; readonly progress: SearchProgress }
  /** Null when the check has to be made by the thread that asked. */
  | { readonly kind: 'made'; readonly number: number; readonly record: CheckRecord | null };

/**
 * Makes checks on several threads at a time: checks of a verification do not depend on each other, so each is
 * made by one thread. Where there are fewer checks than threads, the others help with long searches
 * (shared-search.ts). Ends when all are made. `done` is called as they are, in any order. A thread that
 * fails leaves its checks unmade.
 */
export async function performChecks(
  tasks: readonly CheckTask[],
  threads: number,
  start: WorkerStart,
  done: (task: CheckTask, record: CheckRecord) => void,
  watch: (progress: SearchProgress) => void,
): Promise<void> {
  let next = 0;
  const checkers = Math.min(threads, tasks.length);
  const serve = (_: unknown, place: number): Promise<void> =>
    new Promise((resolve) => {
      const count = Math.floor(threads / checkers) - 1 + (place < threads % checkers ? 1 : 0);
      const helpers = startHelpers(start, count);
      const workerData: CheckerStart = { ...start, crew: helpers.crew };
      const worker = new Worker(new URL('./check-worker.js', import.meta.url), {
        workerData,
        transferList: [...helpers.crew.ports],
      });
      const ask = (): void => {
        const task = tasks[next];
        if (task === undefined) {
          void worker.terminate();
          return;
        }
        const question: CheckQuestion = { number: next, task };
        next += 1;
        worker.postMessage(question);
      };
      worker.on('message', (answer: CheckAnswer) => {
        if (answer.kind === 'progress') {
          watch(answer.progress);
          return;
        }
        const task = tasks[answer.number];
        if (task !== undefined && answer.record !== null) done(task, answer.record);
        ask();
      });
      const end = (): void => {
        helpers.end();
        resolve();
      };
      worker.on('error', end);
      worker.on('exit', end);
      ask();
    });
  await Promise.all(Array.from({ length: checkers }, serve));
}
