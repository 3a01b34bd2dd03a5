import type { CorpusIo } from '../../src/cli/corpus-io.ts';

/** The process has been killed, as far as the code under test can tell: nothing after it happens. */
export class Killed extends Error {}

/** A disk that is kept when the process is killed. */
export type Disk = Map<string, string>;

/** An outside world over a disk. `killAt`: the number of the write that does not come to its end. */
export function memoryCorpus(
  disk: Disk,
  killAt = Infinity,
): CorpusIo & { readonly written: () => { readonly out: string; readonly err: string } } {
  let writes = 0;
  let clock = 0;
  let out = '';
  let err = '';
  return {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    written: () => ({ out, err }),
    outIsTerminal: false,
    errIsTerminal: false,
    columns: 80,
    noColor: true,
    now: () => (clock += 1),
    read: (path) => disk.get(path) ?? null,
    write: () => false,
    list(folder) {
      const names = [...disk.keys()]
        .filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1).split('/')[0] ?? '');
      return names.length === 0 ? null : [...new Set(names)].sort();
    },
    replace(folder, name, text) {
      writes += 1;
      if (writes > killAt) {
        // Before the file is whole, or before it has its name: only the unfinished one is there.
        disk.set(`${folder}/${name}.1.partial`, text.slice(0, writes % 2 === 0 ? -1 : undefined));
        throw new Killed();
      }
      disk.set(`${folder}/${name}`, text);
      return true;
    },
    remove: (folder, name) => void disk.delete(`${folder}/${name}`),
    interrupted: () => Promise.resolve(false),
  };
}
