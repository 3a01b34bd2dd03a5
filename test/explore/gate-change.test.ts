import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changesOf, lineInOther } from '../../src/explore/gate-change.ts';
import { applyPatch } from '../../src/frontend/kernel-c/patch/apply-patch.ts';
import { parsePatch } from '../../src/frontend/kernel-c/patch/parse-patch.ts';
import { patchOf } from '../cli/small-patch.ts';

const FILE = 'kernel/a.c';
const FIRST = Array.from({ length: 30 }, (_, i) => `old ${i}`);

/** One patch of a series: so many lines taken out at a place, so many put in. */
const STEP = fc.record({
  at: fc.nat({ max: 40 }),
  out: fc.nat({ max: 6 }),
  into: fc.nat({ max: 6 }),
});

test('a series: lines by their numbers in the first and in the last version', () => {
  fc.assert(
    fc.property(fc.array(STEP, { minLength: 1, maxLength: 5 }), (steps) => {
      let version: readonly string[] = FIRST;
      let text = '';
      steps.forEach(({ at, out, into }, step) => {
        const from = Math.min(at, version.length);
        const put = Array.from({ length: into }, (_, i) => `new ${step}.${i}`);
        const next = [...version.slice(0, from), ...put, ...version.slice(from + out)];
        if (next.length === 0) return;
        const file = (lines: readonly string[]): string => `${lines.join('\n')}\n`;
        text += patchOf({ [FILE]: file(version) }, { [FILE]: file(next) });
        version = next;
      });
      if (text === '') return;
      const read = (path: string): string | null =>
        path === FILE ? `${FIRST.join('\n')}\n` : null;
      const applied = applyPatch(parsePatch(text), read);
      expect(applied.overlay.get(FILE)).toBe(`${version.join('\n')}\n`);
      const [change] = changesOf(applied);
      if (change === undefined) throw new Error('no change');
      const added = change.hunks.flatMap((hunk) => hunk.added.map((line) => version[line - 1]));
      const removed = change.hunks.flatMap((hunk) => hunk.removed.map((line) => FIRST[line - 1]));
      expect(added.sort()).toEqual(version.filter((line) => !FIRST.includes(line)).sort());
      expect(removed.sort()).toEqual(FIRST.filter((line) => !version.includes(line)).sort());
      version.forEach((line, i) => {
        const before = lineInOther(change, 'after', i + 1);
        expect(before === null ? null : FIRST[before - 1]).toBe(
          line.startsWith('new') ? null : line,
        );
      });
      FIRST.forEach((line, i) => {
        const after = lineInOther(change, 'before', i + 1);
        expect(after === null ? null : version[after - 1]).toBe(
          version.includes(line) ? line : null,
        );
      });
    }),
    { numRuns: 200 },
  );
});
