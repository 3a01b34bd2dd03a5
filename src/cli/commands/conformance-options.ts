import type { Command } from 'commander';
import { conformanceCommand, type ConformanceIo, type ConformanceOptions } from './conformance.ts';

/** Registers `conformance` with its options. */
export function addConformanceCommand(
  program: Command,
  io: ConformanceIo,
  finish: (code: number) => void,
): void {
  program
    .command('conformance')
    .description('compare the machine with the reference models and write docs/conformance.md')
    .option('--own <folder>', 'the litmus tests of this project', 'test/litmus')
    .option(
      '--references <folder>',
      'folders of tests with NAME.expected.json beside them',
      '../shared/litmus',
    )
    .option('--write <file>', 'write the page instead of printing it')
    .option(
      '--mutations',
      'instead, count the reference tests that notice each fault; takes minutes',
    )
    .action((options: ConformanceOptions) => {
      finish(conformanceCommand(options, io));
    });
}
