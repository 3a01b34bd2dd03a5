import { run } from '../../src/cli/program.ts';
import type { Io } from '../../src/cli/io.ts';

/** What a command line did. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly written: ReadonlyMap<string, string>;
}

/** Runs a command line without a process; `files` are what it can read. */
export function tlbgate(
  args: readonly string[],
  files: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  return tlbgateReading(args, (path) => files[path] ?? null);
}

/** The same with something else to read from. */
export async function tlbgateReading(args: readonly string[], read: Io['read']): Promise<Ran> {
  let out = '';
  let err = '';
  let clock = 0;
  const written = new Map<string, string>();
  const io: Io = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    outIsTerminal: false,
    errIsTerminal: false,
    columns: 80,
    noColor: true,
    now: () => (clock += 1),
    read,
    write: (directory, name, text) => {
      written.set(`${directory}/${name}`, text);
      return true;
    },
  };
  const code = await run(args, io);
  return { code, out, err, written };
}
