import { inputError, type InputError } from '../../scenario/input-error.ts';
import { loadCorpus, mayBeCorpus, storeCorpus, uniteAll } from '../corpus-folder.ts';
import type { CorpusIo } from '../corpus-io.ts';
import { EXIT } from '../exit-codes.ts';

/** `tlbgate fuzz merge`: the corpora of many campaigns as one. */
export function fuzzMergeCommand(
  out: string,
  directories: readonly string[],
  options: { readonly json?: boolean },
  io: CorpusIo,
): number | InputError {
  for (const directory of directories) {
    if (!mayBeCorpus(directory, io)) {
      return inputError(
        'file-unreadable',
        `The corpus "${directory}" cannot be read: it must be a folder that \`tlbgate fuzz --corpus\` has written.`,
      );
    }
  }
  const before = loadCorpus(out, io);
  const others = directories.map((directory) => loadCorpus(directory, io));
  const united = uniteAll([before, ...others].map(({ corpus }) => corpus));
  const problem = storeCorpus(out, before.corpus, united, io);
  if (problem !== null) return problem;
  const skipped = [before, ...others].flatMap((loaded) => loaded.skipped);
  const read = [before, ...others].reduce((sum, { corpus }) => sum + corpus.entries.size, 0);
  if (options.json === true) {
    const { entries, findings, found } = united;
    io.out(
      `${JSON.stringify({ format: 1, out, read, entries: entries.size, findings: new Set([...findings.keys(), ...found.keys()]).size, skipped })}\n`,
    );
    return EXIT.verified;
  }
  for (const sentence of skipped) io.err(`skipped: ${sentence}\n`);
  io.out(
    `${out}: ${united.entries.size} of ${read} entries are needed, ${new Set([...united.findings.keys(), ...united.found.keys()]).size} findings\n`,
  );
  return EXIT.verified;
}
