import { InvalidArgumentError, Option, type Command } from 'commander';
import type { InputError } from '../../scenario/input-error.ts';
import type { CorpusIo } from '../corpus-io.ts';
import { collect, wholeNumber } from '../option-values.ts';
import { fuzzMergeCommand } from './fuzz-merge.ts';
import { fuzzCommand, type FuzzOptions } from './fuzz.ts';

/** Where a campaign keeps what it finds, when nothing else is said. */
const DEFAULT_CORPUS = 'tlbgate-corpus';

/** Registers `fuzz` and `fuzz merge` with their arguments and options. */
export function addFuzzCommand(
  program: Command,
  io: CorpusIo,
  finish: (result: number | InputError) => void,
): void {
  const fuzz = program
    .command('fuzz')
    .description('random scenarios and schedules, steered to what they have not got into yet')
    .argument('[candidate...]', 'ids or modules; without any: all, where they are expected to hold')
    .option('--time <duration>', 'stop after this time: 90s, 10m, 2h (60s)', duration)
    .option('--runs <n>', 'stop after this many runs', wholeNumber(1))
    .option('--seed <n>', 'what chance begins with', wholeNumber(0, 2 ** 32 - 1), 1)
    .option('--corpus <dir>', 'what is known, and where findings go', DEFAULT_CORPUS)
    .addOption(
      new Option('--shard <i/n>', 'do the i-th of n parts of the runs')
        .argParser(shard)
        .default({ index: 1, count: 1 }, '1/1'),
    )
    .option('--feature <name=value>', 'one machine; may be repeated', collect, [])
    .option('--rule <id>', 'look at one rule only')
    .option('--mutants', 'draw candidates with one small mistake, too')
    .option('--json', 'print one JSON object and nothing else')
    .action(async (names: readonly string[], options: FuzzOptions) => {
      finish(await fuzzCommand(names, options, io));
    });
  fuzz
    .command('merge')
    .description('unite corpora: what is needed of all of them goes into the first')
    .argument('<out>', 'corpus to add to; made when it is not there')
    .argument('<dir...>', 'corpora to add')
    .option('--json', 'print one JSON object and nothing else')
    .action((out: string, directories: readonly string[], _options: unknown, command: Command) => {
      finish(fuzzMergeCommand(out, directories, command.optsWithGlobals(), io));
    });
}

const UNITS: { readonly [unit in string]?: number } = { s: 1000, m: 60_000, h: 3_600_000 };

function duration(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([smh]?)$/.exec(text) ?? [];
  const ms = Number(number) * (UNITS[unit === '' ? 's' : unit] ?? NaN);
  if (number === '' || !(ms > 0)) {
    throw new InvalidArgumentError('It must be a time such as 90s, 10m or 2h.');
  }
  return ms;
}

function shard(text: string): FuzzOptions['shard'] {
  const [, index = '', count = ''] = /^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(text) ?? [];
  if (index === '' || Number(index) > Number(count)) {
    throw new InvalidArgumentError('It must be a part of a number of parts: 1/4, 2/4, 3/4 or 4/4.');
  }
  return { index: Number(index), count: Number(count) };
}
