import type { Diagnostic } from '../frontend/kernel-c/diagnostic.ts';
import type { ReadFile } from '../frontend/kernel-c/read-file.ts';
import { inputError, type InputError } from '../scenario/input-error.ts';
import type { Io } from './io.ts';

/** Reads the files of a tree, each once. */
export function treeReader(directory: string, io: Io): ReadFile {
  const root = directory.replace(/\/+$/, '') || '/';
  const known = new Map<string, string | null>();
  return (path) => {
    let text = known.get(path);
    if (text === undefined) {
      text = io.read(`${root}/${path}`);
      known.set(path, text);
    }
    return text;
  };
}

/** What the front end stopped at, as a sentence about the tree. */
export function treeError(directory: string, { file, line, message }: Diagnostic): InputError {
  const where = file.startsWith('<') ? directory : `${file}${line > 0 ? `:${line}` : ''}`;
  const sentence = /[.!?]$/.test(message) ? message : `${message}.`;
  return inputError('tree', `${where}: ${sentence}`);
}
