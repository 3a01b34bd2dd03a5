import type { Rule } from './rule.ts';

/** The checks that code makes of itself. */
export const checksHold: Rule = {
  id: 'checks-hold',
  family: 'checks',
  statement: 'No WARN_ON or BUG_ON of the code under test finds what it looks for.',
  why: 'The authors of the code say there that they rely on something. When it is not so, the steps after it may do anything, and a kernel with panic_on_warn stops.',
  sources: [
    'Linux include/asm-generic/bug.h: WARN_ON is for conditions that cannot happen unless there is a bug',
  ],
  check(fact) {
    if (fact.kind !== 'check-failed') return null;
    return `a ${fact.check} on cpu${fact.pe} finds what must not be`;
  },
};
