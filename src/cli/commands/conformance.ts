import {
  noticingTests,
  ownConformance,
  type ReferenceConformance,
} from '../../explore/conformance.ts';
import { readExpectations } from '../../explore/litmus-expected.ts';
import {
  compareFolder,
  DEFAULT_LITMUS_STATES,
  type LitmusFolder,
} from '../../explore/litmus-folder.ts';
import { conformanceText } from '../../report/conformance-text.ts';
import { LITMUS_EXIT, type LitmusIo } from '../litmus-io.ts';

/** What the command line says. */
export interface ConformanceOptions {
  /** Folder of the project's own tests. */
  readonly own: string;
  /** Folder with the references: folders of tests, and `NAME.expected.json` beside each. */
  readonly references: string;
  /** Where to write the page; without it the page is printed. */
  readonly write?: string;
  /** Also count the tests of the references that notice faults of the machine. */
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
  const own = ownConformance(folderAt(options.own, io), limits);
  if ('problem' in own) return complain(io, `${options.own}: ${own.problem}`);
  const references: ReferenceConformance[] = [];
  for (const file of io.filesBelow(options.references) ?? []) {
    const name = /^([^/]+)\.expected\.json$/.exec(file)?.[1];
    if (name === undefined) continue;
    const read = readExpectations(io.read(`${options.references}/${file}`) ?? '');
    if ('problem' in read) return complain(io, `${file}: ${read.problem}`);
    const folder = folderAt(`${options.references}/${name}`, io);
    const comparisons = compareFolder(read.rows, folder, limits);
    if ('problem' in comparisons) return complain(io, `${file}: ${comparisons.problem}`);
    const noticing = options.mutations === true ? noticingTests(read.rows, folder) : null;
    references.push({ name, comparisons, noticing });
  }
  if (references.length === 0) {
    return complain(io, `there is no NAME.expected.json in ${options.references}.`);
  }
  const text = conformanceText(own, references);
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
