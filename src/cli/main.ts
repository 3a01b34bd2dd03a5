#!/usr/bin/env node
import { realIo } from './io.ts';
import { run } from './program.ts';

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', () => process.exit());
process.exitCode = await run(process.argv.slice(2), realIo());
