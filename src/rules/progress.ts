import type { Rule } from './rule.ts';

/**
 * P8: progress. It is a property of the whole state graph (a state nobody can leave, a loop of faults
 * that fair scheduling does not end), so no single step breaks it; see explore/progress.ts.
 */
export const progress: Rule = {
  id: 'progress',
  family: 'P8',
  statement:
    'No thread waits for ever for a lock, and no guest access faults for ever while the host handles its faults.',
  why: "The machine hangs or a vCPU makes no progress, with all data intact: the kind of bug that shows up as a soft lockup on somebody else's machine.",
  sources: [
    'Linux 86658b819cd0, 976d34e2dab1: skip the update when nothing changes, or two vCPUs fault for ever',
  ],
  check(fact) {
    return fact.kind === 'no-progress' ? fact.message : null;
  },
};
