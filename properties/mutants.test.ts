import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MUTATED, scoreLine } from './support/mutation-report.ts';
import { mutantFates } from './support/mutation-score.ts';
import { PROVE } from './support/scale.ts';

/** The baseline and a right deferral; all forms in `npm run prove`. */
const FEW: ReadonlySet<string> = new Set([
  'unmap-stage2-range/per-page-flush',
  'unmap-stage2-range/two-passes',
]);

const page = readFileSync(new URL('../docs/mutation-score.md', import.meta.url), 'utf8');

describe('mutants', () => {
  it('are judged for the baseline and every form that holds everywhere', () => {
    const ids = MUTATED.map(({ id }) => id);
    expect([...FEW].filter((id) => !ids.includes(id))).toEqual([]);
    expect(page.match(/^\| [a-z0-9-]+ \| \d+ \| \d+ \| \d+ \| 0 \|$/gm)).toHaveLength(ids.length);
  });

  it.each(MUTATED.filter(({ id }) => PROVE || FEW.has(id)))(
    'of $id: each is refuted or has an argument, none has both, and the page says so',
    (candidate) => {
      const fates = mutantFates(candidate, PROVE);
      const open = fates.filter(
        ({ killedBy, harmless }) => (killedBy === null) === (harmless === null),
      );
      expect(open).toEqual([]);
      expect(page).toContain(scoreLine(candidate, fates));
    },
  );
});
