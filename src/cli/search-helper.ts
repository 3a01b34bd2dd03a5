import { workerData } from 'node:worker_threads';
import { helpSearch, type SharedWork } from '../explore/shared-search.ts';
import { isInputError } from '../scenario/input-error.ts';
import type { HelperStart } from './crew.ts';
import { realIo } from './io.ts';
import { findSubject } from './subject.ts';

/** A thread that helps another with its long searches (check-pool.ts). */
const { source, deadline, calls } = workerData as HelperStart;
const subject = await findSubject(source, realIo());
if (isInputError(subject)) throw new Error(subject.message);

calls.on('message', (work: SharedWork) => {
  helpSearch(work, subject.candidate, () => Date.now() > deadline);
});
