import { exportHerd } from '../../report/export-herd.ts';
import { exportIsla } from '../../report/export-isla.ts';
import { inputError, isInputError, type InputError } from '../../scenario/input-error.ts';
import { readReplay } from '../../scenario/replay-file.ts';
import { replay } from '../../trace/replay.ts';
import { EXIT } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { unreadable } from '../subject.ts';
import { machineOfReplay } from './replay-machine.ts';

/** What the command line gave. */
export interface ExportOptions {
  readonly format: string;
}

/** `tlbgate export`: a counterexample as a litmus test for a reference model. */
export async function exportCommand(
  path: string,
  options: ExportOptions,
  io: Io,
): Promise<number | InputError> {
  const text = io.read(path);
  if (text === null) return unreadable(path);
  const file = readReplay(text, path);
  if (isInputError(file)) return file;
  if (options.format !== 'isla' && options.format !== 'herd') {
    return inputError('option-value', `--format must be "herd" or "isla".`);
  }
  const cannot = (why: string): number => {
    io.err(`${path} cannot be written as a test of ${options.format}: ${why}\n`);
    return EXIT.inconclusive;
  };
  const machine = await machineOfReplay(file, path, io);
  if ('kind' in machine) return machine;
  const run = replay(machine, file.labels);
  if (run.kind === 'misfit') {
    return inputError('trace-does-not-fit', `Step ${run.step} of ${path} is not possible there.`);
  }
  const write = options.format === 'herd' ? exportHerd : exportIsla;
  const title = `${file.scenario.candidate} ${file.rule ?? ''}`.trim();
  const exported = write(machine, run.steps, title);
  if (exported.kind === 'no') return cannot(exported.why);
  io.out(exported.text);
  return EXIT.verified;
}
