import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addLitmusCommand } from './commands/litmus-options.ts';
import { filesBelow } from './litmus-io.ts';

// The litmus command alone, until it is registered in src/cli/program.ts.
const program = new Command('tlbgate');
addLitmusCommand(
  program,
  {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    columns: process.stdout.columns ?? 100,
    now: () => performance.now(),
    read(path) {
      try {
        return readFileSync(path, 'utf8');
      } catch {
        return null;
      }
    },
    filesBelow,
  },
  (code) => {
    process.exitCode = code;
  },
);
program.parse();
