import { Command, CommanderError } from 'commander';
import { EndlessThread } from '../program/generator-thread.ts';
import { CandidateFailure } from '../scenario/candidate-failure.ts';
import { inputError, isInputError, type InputError } from '../scenario/input-error.ts';
import { explainCommand } from './commands/explain.ts';
import { exportCommand, type ExportOptions } from './commands/export.ts';
import { addConformanceCommand } from './commands/conformance-options.ts';
import { addFuzzCommand } from './commands/fuzz-options.ts';
import { listCommand } from './commands/list.ts';
import { addGateCommands } from './commands/gate-options.ts';
import { addLitmusCommand } from './commands/litmus-options.ts';
import { replayCommand, type ReplayOptions } from './commands/replay.ts';
import { seedTableCommand } from './commands/seed-table.ts';
import { verifyCommand, type VerifyOptions } from './commands/verify.ts';
import { realCorpusIo } from './corpus-io.ts';
import { EXIT } from './exit-codes.ts';
import type { Io } from './io.ts';
import { filesBelow } from './litmus-io.ts';
import {
  collect,
  folderToWrite,
  refuseRepetition,
  seconds,
  threads,
  wholeNumber,
} from './option-values.ts';

/** Version of the command line, as in package.json. */
export const VERSION = '0.1.0';

/** Runs one command line; the result is the exit code. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let code: number = EXIT.verified;
  const finish = (result: number | InputError): void => {
    if (isInputError(result)) {
      io.err(`error: ${result.message}\n`);
      code = EXIT.badInput;
    } else code = result;
  };
  try {
    await buildProgram(io, finish).parseAsync([...args], { from: 'user' });
  } catch (problem) {
    if (problem instanceof CandidateFailure || problem instanceof EndlessThread) {
      const sentence = `${problem.message}: no verdict; mend the code, then ask again.`;
      finish(inputError('candidate-throws', sentence.charAt(0).toUpperCase() + sentence.slice(1)));
      return code;
    }
    if (!(problem instanceof CommanderError)) throw problem;
    if (problem.exitCode === 0) return EXIT.verified;
    if (problem.code === 'commander.help') {
      const [first, asked] = args;
      if (first === 'help' && asked !== undefined) {
        io.err(`error: unknown command '${asked}': see \`tlbgate help\`.\n`);
        return EXIT.badInput;
      }
      io.err(
        'error: name a command: verify, fuzz, patch, tree, list, replay or explain; `tlbgate --help` describes them.\n',
      );
      return EXIT.badInput;
    }
    io.err(`${oneSentence(problem.message)}\n`);
    return EXIT.badInput;
  }
  return code;
}

/** Commander puts suggestions on a line of their own. */
function oneSentence(message: string): string {
  const text = message.replaceAll(/\s*\n\s*/g, ' ').trim();
  return /[.!?)]$/.test(text) ? text : `${text}: see \`tlbgate help\`.`;
}

function buildProgram(io: Io, finish: (result: number | InputError) => void): Command {
  const program = new Command('tlbgate')
    .description('verifies ideas for arm64 TLB maintenance against a model of the hardware')
    .version(VERSION)
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: () => undefined })
    .showSuggestionAfterError(true);

  program
    .command('verify')
    .description('check a candidate, a scenario file or a module of your own')
    .argument('<candidate>', 'id of a candidate, scenario.json, or module.mjs')
    .option(
      '--feature <name=value>',
      'one machine instead of the matrix; may be repeated',
      collect,
      [],
    )
    .option('--guest <guest>', 'general, or a trace such as "w0,r1;r0"')
    .option('--vcpus <n>', 'vCPUs of the VM', wholeNumber(1))
    .option(
      '--pages <n>',
      'guest pages; more than 8 with --guest general: the whole operation, for any number of vCPUs',
      wholeNumber(1),
    )
    .option(
      '--mapping <size>',
      'with --guest general: what maps the pages, such as 4k, 2m, 1g or mixed',
    )
    .option(
      '--seed <n>',
      'also look for refutations by random schedules from this seed',
      wholeNumber(0),
    )
    .option('--budget <seconds>', 'stop after this time', seconds)
    .option('--rule <id>', 'check one rule only')
    .option(
      '--switches <n>',
      'only runs in which at most n times a PE that could go on is kept from it',
      wholeNumber(0),
    )
    .option(
      '--checkpoint <dir>',
      'keep checks there, finished and in the making; the same command goes on from them',
    )
    .option(
      '--checkpoint-every <seconds>',
      'with --checkpoint: how often a long search is kept (15)',
      seconds,
    )
    .option('--jobs <n>', 'threads: a check each, or all for a long search', threads)
    .option('--progress', 'say now and then how far a long search is, on any standard error')
    .option('--out <dir>', 'write a replay file for each refuted rule', folderToWrite)
    .option('--json', 'print one JSON object and nothing else')
    .action(async (name: string, options: VerifyOptions) => {
      finish(await verifyCommand(name, options, io));
    });

  program
    .command('list')
    .description('candidates with their expected verdicts, and rules')
    .option('--json', 'print one JSON object and nothing else')
    .action((options: { readonly json?: boolean }) => {
      finish(listCommand(options, io));
    });

  program
    .command('replay')
    .description('repeat a run step by step; every step must be possible')
    .argument('<file>', 'replay file')
    .option('--until <n>', 'stop after this many events', wholeNumber(0))
    .option('--show <what>', 'what to show of the last state: tlb,cache,memory')
    .option('--json', 'print one JSON object and nothing else')
    .action(async (path: string, options: ReplayOptions) => {
      finish(await replayCommand(path, options, io));
    });

  program
    .command('explain')
    .description('what a rule means and where it comes from')
    .argument('<rule>', 'id of a rule')
    .option('--json', 'print one JSON object and nothing else')
    .action((id: string, options: { readonly json?: boolean }) => {
      finish(explainCommand(id, options, io));
    });

  program
    .command('seed-table')
    .description('the verdict table of the 2020 patch, every row checked now')
    .option('--json', 'print one JSON object and nothing else')
    .action((options: { readonly json?: boolean }) => {
      finish(seedTableCommand(options, io));
    });
  program
    .command('export')
    .description('write a counterexample as a litmus test for a reference model')
    .argument('<file>', 'replay file')
    .requiredOption('--format <name>', 'isla, or herd')
    .action(async (path: string, options: ExportOptions) => {
      finish(await exportCommand(path, options, io));
    });

  addLitmusCommand(program, { ...io, filesBelow }, finish);
  addConformanceCommand(program, { ...io, filesBelow }, finish);
  addGateCommands(program, io, finish);
  addFuzzCommand(program, realCorpusIo(io), finish);

  refuseRepetition(program);
  return program;
}
