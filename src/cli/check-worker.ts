import { parentPort, workerData } from 'node:worker_threads';
import { performCheck, type CheckTask, type TaskKeeper } from '../explore/check-journal.ts';
import type { SearchProgress } from '../explore/search.ts';
import { isInputError } from '../scenario/input-error.ts';
import type { CheckAnswer, CheckerStart, CheckQuestion } from './check-pool.ts';
import { openKeeper } from './checkpoint.ts';
import { crewOf } from './crew.ts';
import { realIo } from './io.ts';
import { EVERY } from './progress.ts';
import { findSubject } from './subject.ts';

/** States that one thread explores before it calls for help: machines have to be made first. */
const ALONE = 10_000;

/** A thread that makes the checks it is asked for, one at a time (check-pool.ts). */
const { source, deadline, checkpoint, crew: helpers } = workerData as CheckerStart;
const io = realIo();
const subject = await findSubject(source, io);
const expired = (): boolean => Date.now() > deadline;
const crew = crewOf(helpers, ALONE);

const keeper = (task: CheckTask): TaskKeeper | null =>
  checkpoint === null
    ? null
    : openKeeper(
        { ...checkpoint, now: io.now, expired, note: (sentence) => io.err(`${sentence}\n`) },
        task,
      );

let told = io.now();
function watch(progress: SearchProgress): void {
  if (io.now() - told < EVERY) return;
  told = io.now();
  say({ kind: 'progress', progress });
}

function say(answer: CheckAnswer): void {
  parentPort?.postMessage(answer);
}

parentPort?.on('message', ({ number, task }: CheckQuestion) => {
  const record = isInputError(subject)
    ? null
    : performCheck(task, subject.candidate, { expired, watch }, { keeper: keeper(task), crew });
  // What cannot be checked, or had no time, is left to the thread that asks.
  const isDone = record !== null && !isInputError(record) && !expired();
  say({ kind: 'made', number, record: isDone ? record : null });
});
