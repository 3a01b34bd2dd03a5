#!/usr/bin/env node
import { EXIT } from './exit-codes.ts';
import { realIo } from './io.ts';
import { run } from './program.ts';

/** As in sysexits.h: our fault, not a verdict. */
const INTERNAL_ERROR = 70;

process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  // A reader that has seen enough (`| head`) is no failure; but nothing is verified before the end.
  if (code === 'EPIPE') process.exit(process.exitCode ?? EXIT.inconclusive);
  process.stderr.write(`error: standard output cannot be written: ${message}.\n`);
  process.exit(EXIT.badInput);
});
try {
  process.exitCode = await run(process.argv.slice(2), realIo());
} catch (problem) {
  // Not the user's mistake: one line for everybody, the stack for those who ask for it.
  const message = problem instanceof Error ? problem.message : String(problem);
  const stack = problem instanceof Error ? problem.stack : undefined;
  const asked = (process.env['TLBGATE_DEBUG'] ?? '') !== '';
  process.stderr.write(`internal error: ${message}; TLBGATE_DEBUG=1 shows where.\n`);
  if (asked && stack !== undefined) process.stderr.write(`${stack}\n`);
  process.exitCode = INTERNAL_ERROR;
}
