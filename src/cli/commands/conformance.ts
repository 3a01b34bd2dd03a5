import {
  noticingTests,
  ownConformance,
  type ReferenceConformance,
} from '../../explore/conformance.ts';
import { readExpectations, type LitmusExpectation } from '../../explore/litmus-expected.ts';
import {
  compareFolder,
  DEFAULT_LITMUS_STATES,
  type LitmusFolder,
} from '../../explore/litmus-folder.ts';
import { conformanceText } from '../../report/conformance-text.ts';
import { mutationsText } from '../../report/mutations-text.ts';
import { LITMUS_EXIT, type LitmusIo } from '../litmus-io.ts';

/** What the command line says. */
export interface ConformanceOptions {
  /** Folder of the project's own tests. */
  readonly own: string;
  /** Folder with the references: folders of tests, and `NAME.expected.json` beside each. */
  readonly references: string;
  /** Where to write the page; without it the page is printed. */
  readonly write?: string;
  /** Instead, count the tests of the references that notice faults of the machine. */
  readonly mutations?: boolean;
  /** Most states of one search. */
  readonly states?: number;
}

/** What `conformance` needs of the world outside. */
export interface ConformanceIo extends LitmusIo {
  /** False when the file cannot be written. */
  readonly write: (directory: string, name: string, text: string) => boolean;
}

/** `tlbgate conformance`: compares the machine with all references there are. */
export function conformanceCommand(options: ConformanceOptions, io: ConformanceIo): number {
  const limits = { states: options.states ?? DEFAULT_LITMUS_STATES };
  const found = referenceFolders(options.references, io);
  if ('problem' in found) return complain(io, found.problem);
  if (options.mutations === true) {
    const counts = found.map(({ name, rows, folder }) => ({
      name,
      noticing: noticingTests(rows, folder),
    }));
    return finish(mutationsText(counts), options, io);
  }
  const own = ownConformance(folderAt(options.own, io), limits);
  if ('problem' in own) return complain(io, `${options.own}: ${own.problem}`);
  const references: ReferenceConformance[] = [];
  for (const { name, rows, folder } of found) {
    const comparisons = compareFolder(rows, folder, limits);
    if ('problem' in comparisons) return complain(io, `${name}: ${comparisons.problem}`);
    references.push({ name, comparisons });
  }
  return finish(conformanceText(own, references), options, io);
}

interface ReferenceFolder {
  readonly name: string;
  readonly rows: readonly LitmusExpectation[];
  readonly folder: LitmusFolder;
}

function referenceFolders(
  root: string,
  io: ConformanceIo,
): readonly ReferenceFolder[] | { readonly problem: string } {
  const folders: ReferenceFolder[] = [];
  for (const file of io.filesBelow(root) ?? []) {
    const name = /^([^/]+)\.expected\.json$/.exec(file)?.[1];
    if (name === undefined) continue;
    const read = readExpectations(io.read(`${root}/${file}`) ?? '');
    if ('problem' in read) return { problem: `${file}: ${read.problem}` };
    folders.push({ name, rows: read.rows, folder: folderAt(`${root}/${name}`, io) });
  }
  return folders.length === 0 ? { problem: `there is no NAME.expected.json in ${root}.` } : folders;
}

function finish(text: string, options: ConformanceOptions, io: ConformanceIo): number {
  if (options.write === undefined) {
    io.out(text);
    return LITMUS_EXIT.equal;
  }
  const [, directory = '.', name = ''] = /^(?:(.*)\/)?([^/]*)$/.exec(options.write) ?? [];
  if (!io.write(directory, name, text)) return complain(io, `${options.write} cannot be written.`);
  return LITMUS_EXIT.equal;
}

function complain(io: ConformanceIo, sentence: string): number {
  io.err(`tlbgate conformance: ${sentence}\n`);
  return LITMUS_EXIT.badInput;
}

function folderAt(path: string, io: ConformanceIo): LitmusFolder {
  return {
    files: io.filesBelow(path) ?? [],
    read: (file) => io.read(`${path}/${file}`),
    now: io.now,
  };
}
