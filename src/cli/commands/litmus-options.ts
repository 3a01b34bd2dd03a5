import type { Command } from 'commander';
import type { LitmusIo } from '../litmus-io.ts';
import { collect, wholeNumber } from '../option-values.ts';
import { litmusCommand, type LitmusOptions } from './litmus.ts';

/** Registers `litmus` with its arguments and options. */
export function addLitmusCommand(
  program: Command,
  io: LitmusIo,
  finish: (code: number) => void,
): void {
  program
    .command('litmus')
    .description('run litmus tests of herd7 (.litmus) and isla (.litmus.toml)')
    .argument('<path...>', 'files and folders; with --explain a file and an outcome')
    .option('--expected <file>', 'compare a folder with what a reference says')
    .option('--explain', 'print the run that ends in an outcome')
    .option('--variant <name>', 'as for herd7: vmsa, fatal, ETS2; may be repeated', collect, [])
    .option('--states <n>', 'most states of one search', wholeNumber(1))
    .option('--json', 'print one JSON object and nothing else')
    .action((paths: readonly string[], options: LitmusOptions) => {
      finish(litmusCommand(paths, options, io));
    });
}
