import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyPatch } from '../../../../src/frontend/kernel-c/patch/apply-patch.ts';
import { gitBlobId } from '../../../../src/frontend/kernel-c/patch/blob-id.ts';
import { parsePatch } from '../../../../src/frontend/kernel-c/patch/parse-patch.ts';

const BASE = `/*
 * Unmaps a range.
 * - frees nothing
 */
static void unmap(struct vm *vm, u64 start, u64 end)
{
	u64 addr;

	for (addr = start; addr < end; addr += PAGE) {
		clear(vm, addr);
		flush_one(vm, addr);
		clean(vm, addr);
	}
}

int after(void)
{
	return 1;
}
`;

const PATCHED = BASE.replace('\t\tflush_one(vm, addr);\n', '').replace(
  '\t}\n}\n\nint',
  '\t}\n\n\tif (end > start) {\n\t\tflush_all(vm);\n\t}\n}\n\nint',
);

const DIFF = `diff --git a/mm/unmap.c b/mm/unmap.c
index ${gitBlobId(BASE).slice(0, 12)}..${gitBlobId(PATCHED).slice(0, 12)} 100644
--- a/mm/unmap.c
+++ b/mm/unmap.c
@@ -8,10 +8,13 @@ static void unmap(struct vm *vm, u64 start, u64 end)
 
 	for (addr = start; addr < end; addr += PAGE) {
 		clear(vm, addr);
-		flush_one(vm, addr);
 		clean(vm, addr);
 	}
+
+	if (end > start) {
+		flush_all(vm);
+	}
 }
 
 int after(void)
 {
`;

const read =
  (text: string) =>
  (path: string): string | null =>
    path === 'mm/unmap.c' ? text : null;

/** What the archive of the seed does: leading blanks gone, runs of blanks reduced to one. */
function collapse(diff: string): string {
  return diff
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .join('\n');
}

describe('a clean diff', () => {
  test('applies to its base, and both blob ids prove it', () => {
    const applied = applyPatch(parsePatch(DIFF), read(BASE));
    expect(applied.applies).toBe(true);
    expect(applied.overlay.get('mm/unmap.c')).toBe(PATCHED);
    expect(applied.files[0]?.base.kind).toBe('exact');
    expect(applied.files[0]?.exactResult).toBe(true);
    expect(applied.files[0]?.hunks[0]).toEqual({
      kind: 'applied',
      hunk: 1,
      line: 8,
      offset: 0,
      blanksIgnored: false,
      reinterpreted: 0,
      places: 1,
      added: [13, 14, 15, 16],
      removed: [11],
    });
  });

  test('applies with an offset when lines were added above', () => {
    const moved = `#include <x.h>\n\n${BASE}`;
    const applied = applyPatch(parsePatch(DIFF), read(moved));
    expect(applied.overlay.get('mm/unmap.c')).toBe(`#include <x.h>\n\n${PATCHED}`);
    expect(applied.files[0]?.base).toMatchObject({ kind: 'different' });
    expect(applied.files[0]?.hunks[0]).toMatchObject({ offset: 2, line: 10, places: 1 });
  });

  test('names the line that differs when it does not apply', () => {
    const other = BASE.replace('clean(vm, addr)', 'clean_range(vm, addr)');
    const applied = applyPatch(parsePatch(DIFF), read(other));
    expect(applied.applies).toBe(false);
    expect(applied.files[0]?.hunks[0]).toMatchObject({
      kind: 'does-not-apply',
      hunk: 1,
      why: 'line 12 is "clean_range(vm, addr);" where the patch has "clean(vm, addr);", and the old lines are nowhere else',
    });
  });

  test('says that it is applied already', () => {
    const applied = applyPatch(parsePatch(DIFF), read(PATCHED));
    expect(applied.files[0]?.base.kind).toBe('already-patched');
    expect(applied.files[0]?.hunks[0]).toMatchObject({
      why: 'its new lines are already in the file: the patch is applied',
    });
  });

  test('says that the tree lacks the file', () => {
    expect(applyPatch(parsePatch(DIFF), () => null).files[0]?.problem).toBe(
      'the tree has no file mm/unmap.c: it may be another tree or revision',
    );
  });
});

describe('what patches travel in', () => {
  const mail = (body: string, headers = ''): string =>
    `From abc Mon Sep 17 00:00:00 2001\nFrom: A <a@b.c>\nSubject: [PATCH] x\n${headers}\nText\n---\n mm/unmap.c | 5 ++++-\n\n${body}-- \n2.19.1\n`;

  test.each([
    ['git format-patch with its signature', mail(DIFF)],
    ['carriage returns', mail(DIFF).replace(/\n/g, '\r\n')],
    [
      'quoted-printable',
      mail(
        DIFF.replace(/=/g, '=3D').replace('static void', 'static =\nvoid'),
        'Content-Transfer-Encoding: quoted-printable\n',
      ),
    ],
    [
      'base64',
      `From: A\nContent-Transfer-Encoding: base64\n\n${Buffer.from(`text\n${DIFF}-- \n2.1\n`).toString('base64')}\n`,
    ],
    [
      'a reply that quotes it',
      `On Monday A wrote:\n${DIFF.replace(/^/gm, '> ')}\nI do not like this.\n`,
    ],
    [
      'an HTML page',
      `<html><body><pre>${DIFF.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')}</pre></body></html>`,
    ],
    ['entities without HTML', DIFF.replace(/</g, '&lt;').replace(/>/g, '&gt;')],
    ['a plain diff without git lines', DIFF.split('\n').slice(2).join('\n')],
  ])('%s', (_name, text) => {
    const applied = applyPatch(parsePatch(text), read(BASE));
    expect(applied.files.map((file) => file.problem)).toEqual([null]);
    expect(applied.overlay.get('mm/unmap.c')).toBe(PATCHED);
  });

  test('an archive that collapsed all blanks', () => {
    const applied = applyPatch(parsePatch(collapse(mail(DIFF))), read(BASE));
    expect(applied.applies).toBe(true);
    expect(applied.overlay.get('mm/unmap.c')).toBe(PATCHED);
    expect(applied.files[0]?.hunks[0]).toMatchObject({ offset: 0, blanksIgnored: true });
  });

  test('a context line that looks like a removal once its blank is gone', () => {
    const base = 'text\n- one\n- two\nend\n';
    const diff = collapse(
      '--- a/d/x\n+++ b/d/x\n@@ -1,4 +1,5 @@\n text\n - one\n - two\n+new\n end\n',
    );
    const applied = applyPatch(parsePatch(diff), () => base);
    expect(applied.overlay.get('d/x')).toBe('text\n- one\n- two\nnew\nend\n');
    expect(applied.files[0]?.hunks[0]).toMatchObject({ reinterpreted: 2 });
  });

  test('a series in one mbox builds on its earlier mails', () => {
    const second =
      '--- a/mm/unmap.c\n+++ b/mm/unmap.c\n@@ -18,4 +18,4 @@\n \n int after(void)\n {\n-\treturn 1;\n+\treturn 2;\n';
    const applied = applyPatch(parsePatch(mail(DIFF) + mail(second)), read(BASE));
    expect(applied.applies).toBe(true);
    expect(applied.overlay.get('mm/unmap.c')).toBe(PATCHED.replace('return 1', 'return 2'));
  });

  test('added, deleted and renamed files', () => {
    const added =
      'diff --git a/n/x.h b/n/x.h\nnew file mode 100644\n--- /dev/null\n+++ b/n/x.h\n@@ -0,0 +1,2 @@\n+one\n+two\n';
    const gone =
      'diff --git a/o/y.h b/o/y.h\ndeleted file mode 100644\n--- a/o/y.h\n+++ /dev/null\n@@ -1 +0,0 @@\n-y\n';
    const moved =
      'diff --git a/p/z.h b/q/z.h\nsimilarity index 100%\nrename from p/z.h\nrename to q/z.h\n';
    const files = new Map([
      ['o/y.h', 'y\n'],
      ['p/z.h', 'z\n'],
    ]);
    const applied = applyPatch(parsePatch(added + gone + moved), (path) => files.get(path) ?? null);
    expect(applied.applies).toBe(true);
    expect([...applied.overlay]).toEqual([
      ['n/x.h', 'one\ntwo\n'],
      ['o/y.h', null],
      ['p/z.h', null],
      ['q/z.h', 'z\n'],
    ]);
  });

  test('no newline at the end of the file', () => {
    const diff =
      '--- a/d/x\n+++ b/d/x\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n';
    expect(applyPatch(parsePatch(diff), () => 'a\nb').overlay.get('d/x')).toBe('a\nc');
  });
});

describe('laws', () => {
  const line = fc.constantFrom('a', 'b', '\tb', '', '}', '- c', '+ d', '-- ', '@@ -1 +1 @@', '> q');
  const text = fc.array(line, { maxLength: 12 });

  test('a diff of two texts takes one to the other, collapsed or not', () => {
    const word = fc.constantFrom('a', 'b', 'c', 'd;', '{', '}', 'e f');
    fc.assert(
      fc.property(
        fc.array(word),
        fc.array(word),
        fc.array(word),
        fc.array(word),
        (head, old, made, tail) => {
          fc.pre(old.length + made.length > 0 && head.length + old.length + tail.length > 0);
          const before = [...head, ...old, ...tail];
          const after = [...head, ...made, ...tail];
          fc.pre(after.length > 0);
          const diff = [
            '--- a/d/x',
            '+++ b/d/x',
            `@@ -1,${before.length} +1,${after.length} @@`,
            ...head.map((l) => ` ${l}`),
            ...old.map((l) => `-${l}`),
            ...made.map((l) => `+${l}`),
            ...tail.map((l) => ` ${l}`),
          ].join('\n');
          const base = () => before.map((l) => `${l}\n`).join('');
          const want = after.join('\n');
          expect(applyPatch(parsePatch(diff), base).overlay.get('d/x')).toBe(`${want}\n`);
          const bare = applyPatch(parsePatch(collapse(diff)), base).overlay.get('d/x') ?? '';
          expect(bare.replace(/[ \t]+/g, '')).toBe(`${want}\n`.replace(/[ \t]+/g, ''));
        },
      ),
    );
  });

  test('damaged diffs never crash or hang the reader', () => {
    fc.assert(
      fc.property(
        text,
        fc.array(fc.nat({ max: 400 }), { maxLength: 6 }),
        fc.string(),
        (lines, cuts, noise) => {
          let damaged = DIFF + lines.join('\n');
          for (const cut of cuts) {
            damaged = damaged.slice(0, cut) + noise + damaged.slice(cut + (cut % 7));
          }
          const applied = applyPatch(parsePatch(damaged), read(BASE));
          for (const file of applied.files) {
            for (const hunk of file.hunks)
              expect(['applied', 'does-not-apply']).toContain(hunk.kind);
          }
        },
      ),
    );
  });

  test('a hunk of thousands of equal lines is given up, not searched for ever', () => {
    const blank = Array.from({ length: 9000 }, () => ' x');
    const diff = `--- a/d/x\n+++ b/d/x\n@@ -1,9001 +1,9001 @@\n${blank.join('\n')}\n-y\n+z\n`;
    const base = 'x\n'.repeat(30_000);
    const started = performance.now();
    expect(applyPatch(parsePatch(diff), () => base).files[0]?.hunks[0]).toMatchObject({
      why: 'the search was given up: the old lines repeat too often in the file',
    });
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
