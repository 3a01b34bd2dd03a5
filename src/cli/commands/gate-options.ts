import type { Command } from 'commander';
import type { InputError } from '../../scenario/input-error.ts';
import type { Io } from '../io.ts';
import { collect, folderToWrite, seconds } from '../option-values.ts';
import type { GateOptions } from './gate-run.ts';
import { patchCommand } from './patch.ts';
import { treeCommand } from './tree.ts';

/** Adds `tlbgate patch` and `tlbgate tree` to the program. */
export function addGateCommands(
  program: Command,
  io: Io,
  finish: (result: number | InputError) => void,
): void {
  const shared = (command: Command): Command =>
    command
      .requiredOption('--tree <dir>', 'root of the kernel tree')
      .option('--profile <name>', 'how to load the tree, instead of what fits')
      .option(
        '--scenario <file>',
        'your scenario (file.c), or those with this in their name; may be repeated',
        collect,
        [],
      )
      .option('--feature <name=value>', 'only machines with this; may be repeated', collect, [])
      .option('--rule <id>', 'check one rule only')
      .option('--budget <seconds>', 'stop after this time', seconds)
      .option('--out <dir>', 'write a replay file for each refuted rule', folderToWrite)
      .option('--json', 'print one JSON object and nothing else');
  shared(
    program
      .command('patch')
      .description("run a kernel's own C before and after a patch")
      .argument(
        '<patch>',
        'a diff, a mail, an mbox, or a page of a mail archive; - for standard input',
      ),
  ).action((path: string, options: GateOptions) => {
    finish(patchCommand(path, options, io));
  });
  shared(program.command('tree').description("run a kernel's own C as it is")).action(
    (options: GateOptions) => {
      finish(treeCommand(options, io));
    },
  );
}
