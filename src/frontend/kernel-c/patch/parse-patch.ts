import { patchText, type Undone } from './mail-text.ts';
import type { FileChange, FilePatch, Hunk, Patch, PatchComplaint } from './patch.ts';
import { readHunk } from './read-hunk.ts';

/** A patch and what had to be undone to read it. */
export interface ParsedPatch extends Patch {
  readonly undone: readonly Undone[];
}

const HUNK = /^@@ ?-(\d{1,9})(?:,(\d{1,9}))? ?\+(\d{1,9})(?:,(\d{1,9}))? ?@@ ?(.*)$/;
/** A `---` line names a path with a directory; without one it is a removed `-- i;` or a separator. */
const OLD_NAME = /^--- "?\S*\/\S/;
const NEW_NAME = /^\+\+\+ "?\S*\/\S/;
const GIT = /^diff --git (?:"?a\/)?(.+?)"? "?b\/(.+?)"?$/;

interface Draft {
  line: number;
  change: FileChange;
  oldPath: string;
  newPath: string;
  index: FilePatch['index'];
  hunks: Hunk[];
  /** True once the `---`/`+++` pair was seen: a second pair then begins another file. */
  named: boolean;
}

/**
 * Reads every diff in a text: a bare diff, the output of `git format-patch`, a mail, an mbox or a page
 * of a mail archive. Text that is no diff is skipped. Nothing is compared with a tree here.
 */
export function parsePatch(text: string): ParsedPatch {
  const { lines, undone } = patchText(text);
  const files: FilePatch[] = [];
  const complaints: PatchComplaint[] = [];
  let draft: Draft | null = null;
  const finish = (): void => {
    if (draft !== null) {
      files.push(finishFile(draft));
      if (isCutOff(draft)) complaints.push({ line: draft.line, why: cutOff(draft) });
    }
    draft = null;
  };

  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? '';
    const git = GIT.exec(line);
    if (git !== null) {
      finish();
      draft = emptyDraft(i + 1, git[1] ?? '', git[2] ?? '');
      continue;
    }
    const next = lines[i + 1] ?? '';
    if (OLD_NAME.test(line) && NEW_NAME.test(next)) {
      const before = pathOf(line.slice(4));
      const after = pathOf(next.slice(4));
      if (draft === null || draft.named) {
        finish();
        draft = emptyDraft(i + 1, before ?? after ?? '', after ?? before ?? '');
      }
      draft.named = true;
      if (before === null) draft.change = 'add';
      else draft.oldPath = before;
      if (after === null) draft.change = 'delete';
      else draft.newPath = after;
      if (before === null && after !== null) draft.oldPath = after;
      if (after === null && before !== null) draft.newPath = before;
      i += 1;
      continue;
    }
    if (draft === null) continue;
    const hunk = HUNK.exec(line);
    if (hunk === null) {
      if (draft.hunks.length === 0) readExtendedHeader(draft, line);
      if (/^@@(?!@)/.test(line)) complaints.push({ line: i + 1, why: unreadableHeader(line) });
      continue;
    }
    if (!draft.named) {
      complaints.push({ line: i + 1, why: 'a hunk stands before any "--- " and "+++ " lines' });
    }
    const raw = rawLines(lines, i + 1);
    const oldCount = Number(hunk[2] ?? '1');
    const newCount = Number(hunk[4] ?? '1');
    const reading = readHunk(raw, oldCount, newCount).next();
    const read = reading.done === true ? null : reading.value;
    draft.hunks.push({
      number: draft.hunks.length + 1,
      oldStart: Number(hunk[1] ?? '0'),
      oldCount,
      newStart: Number(hunk[3] ?? '0'),
      newCount,
      section: hunk[5] ?? '',
      line: i + 1,
      reading: read,
      raw,
    });
    i += read === null ? 0 : consumed(raw, read.lines.length);
  }
  finish();
  return { files, complaints, undone };
}

function emptyDraft(line: number, oldPath: string, newPath: string): Draft {
  return { line, change: 'modify', oldPath, newPath, index: null, hunks: [], named: false };
}

function finishFile(draft: Draft): FilePatch {
  const { line, change, oldPath, newPath, index, hunks } = draft;
  const renamed = change === 'modify' && oldPath !== newPath;
  return { line, change: renamed ? 'rename' : change, oldPath, newPath, index, hunks };
}

function readExtendedHeader(draft: Draft, line: string): void {
  const index = /^index ([0-9a-fA-F]{4,40})\.\.([0-9a-fA-F]{4,40})(?: |$)/.exec(line);
  if (index !== null) draft.index = { before: index[1] ?? '', after: index[2] ?? '' };
  else if (line.startsWith('new file mode ')) draft.change = 'add';
  else if (line.startsWith('deleted file mode ')) draft.change = 'delete';
  else if (/^(?:rename|copy) from /.test(line)) draft.oldPath = line.replace(/^\w+ from /, '');
  else if (/^(?:rename|copy) to /.test(line)) draft.newPath = line.replace(/^\w+ to /, '');
  else if (/^(?:Binary files .* differ|GIT binary patch)$/.test(line)) draft.change = 'binary';
}

/** `a/mm/x.c<tab>date` to `mm/x.c`; `null` for /dev/null. */
function pathOf(text: string): string | null {
  const bare = (text.split('\t')[0] ?? '').trim().replace(/^"(.*)"$/, '$1');
  if (bare === '/dev/null') return null;
  const noDate = bare.replace(/\s+\d{4}-\d\d-\d\d .*$/, '');
  return noDate.replace(/^(?:\.\/)?[^/]+\//, '');
}

/** An empty file, to git. */
const EMPTY_BLOB = /^(?:0+|e69de29[0-9a-f]*)$/i;

/** True where the header says that the text changes, and no hunk says how. */
function isCutOff({ change, index, hunks, named }: Draft): boolean {
  if (change === 'binary' || hunks.length > 0) return false;
  if (named) return true;
  if (index === null || index.before === index.after) return false;
  return !EMPTY_BLOB.test(index.before) || !EMPTY_BLOB.test(index.after);
}

function cutOff({ newPath }: Draft): string {
  return `the diff of ${newPath} ends before its first hunk: the patch is cut off`;
}

function unreadableHeader(line: string): string {
  return `hunk header "${line.slice(0, 60)}" is not of the form "@@ -a,b +c,d @@"; the hunk is ignored`;
}

/** The lines that can belong to a hunk: up to the next header of any kind. */
function rawLines(lines: readonly string[], from: number): string[] {
  const raw: string[] = [];
  for (let i = from; i < lines.length; i++) {
    const line = lines[i] ?? '';
    if (HUNK.test(line) || GIT.test(line)) break;
    if (OLD_NAME.test(line) && NEW_NAME.test(lines[i + 1] ?? '')) break;
    raw.push(line);
  }
  return raw;
}

/** How many raw lines the reading used, counting the "no newline" notes between and after them. */
function consumed(raw: readonly string[], lines: number): number {
  let used = 0;
  for (let left = lines; left > 0 && used < raw.length; used++) {
    if (raw[used]?.startsWith('\\') !== true) left -= 1;
  }
  return raw[used]?.startsWith('\\ ') === true ? used + 1 : used;
}
