/**
 * From whatever a patch travelled in to the plain lines of the diff. Handled: a bare diff, mails with
 * headers (quoted-printable and base64 bodies, RFC 2045), mboxes, replies that quote the diff with
 * `> `, and archive pages in HTML. White space damage is left to the applier.
 */
export interface PatchText {
  /** Lines without their terminators. */
  readonly lines: readonly string[];
  /** What was undone, for the report. */
  readonly undone: readonly Undone[];
}

export type Undone = 'quoted-printable' | 'base64' | 'html' | 'entities' | 'quoting';

const DIFF_START = /^(?:diff --git |--- \S)/;
const QUOTED_DIFF_START = /^(?:> ?)+(?:diff --git |--- \S)/;
const ENTITY = /&(lt|gt|amp|quot|apos|nbsp|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});/g;

export function patchText(raw: string): PatchText {
  const undone = new Set<Undone>();
  let lines = undoTransfer(raw.replace(/\r\n?/g, '\n').split('\n'), undone);
  if (/<(?:!doctype|html|body|pre)\b/i.test(raw)) {
    undone.add('html');
    lines = decodeEntities(
      lines
        .join('\n')
        .replace(/<\/?[a-zA-Z!][^<>\n]{0,300}>/g, '')
        .split('\n'),
    );
  } else if (everyAmpersandIsAnEntity(lines)) {
    undone.add('entities');
    lines = decodeEntities(lines);
  }
  if (!lines.some(isDiffStart) && lines.some((line) => QUOTED_DIFF_START.test(line))) {
    undone.add('quoting');
    lines = lines.flatMap((line) => (line.startsWith('>') ? [line.replace(/^(?:> ?)+/, '')] : []));
  }
  return { lines, undone: [...undone] };
}

function isDiffStart(line: string): boolean {
  return DIFF_START.test(line);
}

/** Escaped text has no bare `&`; C text nearly always has one, and then nothing is decoded. */
function everyAmpersandIsAnEntity(lines: readonly string[]): boolean {
  const start = lines.findIndex(isDiffStart);
  if (start < 0) return false;
  const diff = lines.slice(start).join('\n');
  const entities = diff.match(ENTITY)?.length ?? 0;
  return entities > 0 && entities === (diff.match(/&/g)?.length ?? 0);
}

function decodeEntities(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(ENTITY, (whole, name: string) => entity(whole, name)));
}

function entity(whole: string, name: string): string {
  const named: Readonly<Record<string, string>> = {
    lt: '<',
    gt: '>',
    amp: '&',
    quot: '"',
    apos: "'",
    nbsp: ' ',
  };
  const known = named[name];
  if (known !== undefined) return known;
  const code = /^#x/i.test(name) ? parseInt(name.slice(2), 16) : parseInt(name.slice(1), 10);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
}

/** Finds mail headers (also in the middle of an mbox) and decodes the body that follows them. */
function undoTransfer(lines: readonly string[], undone: Set<Undone>): string[] {
  const out: string[] = [];
  let encoding: 'quoted-printable' | 'base64' | null = null;
  let body: string[] = [];
  const flush = (): void => {
    if (encoding === 'quoted-printable') out.push(...decodeQuotedPrintable(body));
    else if (encoding === 'base64') out.push(...decodeBase64(body));
    else for (const line of body) out.push(line);
    body = [];
  };
  let pending: 'quoted-printable' | 'base64' | null = null;
  for (const line of lines) {
    if (/^From \S.*\d{4}$/.test(line) || /^--[A-Za-z0-9_=+.:-]{10,}$/.test(line)) {
      flush();
      encoding = null;
      pending = null;
      out.push(line);
      continue;
    }
    const header = /^content-transfer-encoding:\s*(quoted-printable|base64)\s*$/i.exec(line);
    if (header !== null && encoding === null) {
      pending = /base64/i.test(line) ? 'base64' : 'quoted-printable';
    }
    if (pending !== null && line === '') {
      flush();
      encoding = pending;
      pending = null;
      undone.add(encoding);
    }
    body.push(line);
  }
  flush();
  return out;
}

function decodeQuotedPrintable(lines: readonly string[]): string[] {
  const text = lines.join('\n').replace(/=[ \t]*\n/g, '');
  return text
    .replace(/(?:=[0-9A-Fa-f]{2})+/g, (run) => {
      const bytes = Uint8Array.from(run.slice(1).split('='), (hex) => parseInt(hex, 16));
      return new TextDecoder().decode(bytes);
    })
    .split('\n');
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function decodeBase64(lines: readonly string[]): string[] {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const line of lines) {
    for (let i = 0; i < line.length; i++) {
      const digit = BASE64.indexOf(line.charAt(i));
      if (digit < 0) continue;
      held = ((held << 6) | digit) & 0xffff;
      bits += 6;
      if (bits >= 8) {
        bits -= 8;
        bytes.push((held >> bits) & 0xff);
      }
    }
  }
  const text = new TextDecoder().decode(Uint8Array.from(bytes));
  return text.replace(/\r\n?/g, '\n').split('\n');
}
