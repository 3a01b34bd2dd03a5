import { parentPort, workerData } from 'node:worker_threads';
import { performCheck, type CheckTask, type TaskKeeper } from '../explore/check-journal.ts';
import { isInputError } from '../scenario/input-error.ts';
import type { CheckAnswer, CheckQuestion, WorkerStart } from './check-pool.ts';
import { openKeeper } from './checkpoint.ts';
import { realIo } from './io.ts';
import { findSubject } from './subject.ts';

/** A thread that makes the checks it is asked for, one at a time (check-pool.ts). */
const { source, deadline, checkpoint } = workerData as WorkerStart;
const io = realIo();
const subject = await findSubject(source, io);
const expired = (): boolean => Date.now() > deadline;
const keeper = (task: CheckTask): TaskKeeper | null =>
  checkpoint === null
    ? null
    : openKeeper(
        { ...checkpoint, now: io.now, expired, note: (sentence) => io.err(`${sentence}\n`) },
        task,
      );

parentPort?.on('message', ({ number, task }: CheckQuestion) => {
  const record = isInputError(subject)
    ? null
    : performCheck(task, subject.candidate, { expired }, keeper(task));
  // What cannot be checked, or had no time, is left to the thread that asks.
  const isDone = record !== null && !isInputError(record) && !expired();
  const answer: CheckAnswer = { number, record: isDone ? record : null };
  parentPort?.postMessage(answer);
});
