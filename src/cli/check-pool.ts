import { Worker } from 'node:worker_threads';
import type { CheckRecord, CheckTask } from '../explore/check-journal.ts';
import type { CheckpointOf } from './checkpoint.ts';

/** What a thread is started with. */
export interface WorkerStart {
  /** The candidate: its id, or the path of its module. */
  readonly source: string;
  /** When the time is over, as `Date.now` says it. */
  readonly deadline: number;
  /** Where checks are kept while they are made, or null. */
  readonly checkpoint: CheckpointOf | null;
}

/** A check for a thread. */
export interface CheckQuestion {
  readonly number: number;
  readonly task: CheckTask;
}

/** Its answer; null when the check has to be made by the thread that asked. */
export interface CheckAnswer {
  readonly number: number;
  readonly record: CheckRecord | null;
}

/**
 * Makes checks on several threads at a time, each check whole on one of them: checks of a verification
 * do not depend on each other. Ends when all are made. `done` is called as they are, in any order. A
 * thread that fails leaves its checks unmade.
 */
export async function performChecks(
  tasks: readonly CheckTask[],
  threads: number,
  start: WorkerStart,
  done: (task: CheckTask, record: CheckRecord) => void,
): Promise<void> {
  let next = 0;
  const serve = (): Promise<void> =>
    new Promise((resolve) => {
      const worker = new Worker(new URL('./check-worker.js', import.meta.url), {
        workerData: start,
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
      worker.on('message', ({ number, record }: CheckAnswer) => {
        const task = tasks[number];
        if (task !== undefined && record !== null) done(task, record);
        ask();
      });
      worker.on('error', () => resolve());
      worker.on('exit', () => resolve());
      ask();
    });
  await Promise.all(Array.from({ length: Math.min(threads, tasks.length) }, serve));
}
