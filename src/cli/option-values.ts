import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';

/** For an option that may be repeated: all its values. */
export function collect(word: string, before: readonly string[]): readonly string[] {
  return [...before, word];
}

/** Reads a whole number of a range. */
export function wholeNumber(
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      const isOpen = most === Number.MAX_SAFE_INTEGER && !(value > most);
      const range = isOpen ? `${least} or more` : `from ${least} to ${most}`;
      throw new InvalidArgumentError(`It must be a whole number, ${range}.`);
    }
    return value;
  };
}

/** More threads than this for each processor only take memory. */
const THREADS_PER_PROCESSOR = 8;

/** Reads a number of threads; a machine that cannot have them is not brought down. */
export function threads(text: string): number {
  return wholeNumber(1, THREADS_PER_PROCESSOR * availableParallelism())(text);
}

/** Reads a time in seconds. */
export function seconds(text: string): number {
  const value = Number(text);
  if (!/^\d*\.?\d+(?:e\d+)?$/.test(text) || !Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError('It must be a number of seconds above 0.');
  }
  return value;
}

/** Reads a folder that will be written to, and so is looked at before a search of hours. */
export function folderToWrite(path: string): string {
  if (path === '' || !canBeWritten(path)) {
    throw new InvalidArgumentError('It must be a folder that can be made and written to.');
  }
  return path;
}

function canBeWritten(path: string): boolean {
  if (!existsSync(path)) return dirname(path) !== path && canBeWritten(dirname(path));
  try {
    accessSync(path, constants.W_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Makes it an error to give an option twice where the second value would silently replace the first. */
export function refuseRepetition(program: Command): void {
  for (const command of program.commands) {
    for (const option of command.options) {
      if (option.isBoolean() || option.parseArg === collect) continue;
      let given = 0;
      command.on(`option:${option.name()}`, () => {
        given += 1;
        if (given > 1) command.error(`error: ${option.long ?? option.flags} is given twice.`);
      });
    }
    refuseRepetition(command);
  }
}
