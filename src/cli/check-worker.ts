import { parentPort, workerData } from 'node:worker_threads';
import { performCheck } from '../explore/check-journal.ts';
import { isInputError } from '../scenario/input-error.ts';
import type { CheckAnswer, CheckQuestion, WorkerStart } from './check-pool.ts';
import { realIo } from './io.ts';
import { findSubject } from './subject.ts';

/** A thread that makes the checks it is asked for, one at a time (check-pool.ts). */
const { source, deadline } = workerData as WorkerStart;
const subject = await findSubject(source, realIo());
const expired = (): boolean => Date.now() > deadline;

parentPort?.on('message', ({ number, task }: CheckQuestion) => {
  const record = isInputError(subject) ? null : performCheck(task, subject.candidate, { expired });
  // What cannot be checked, or had no time, is left to the thread that asks.
  const isDone = record !== null && !isInputError(record) && !expired();
  const answer: CheckAnswer = { number, record: isDone ? record : null };
  parentPort?.postMessage(answer);
});
