import { mkdirSync, writeFileSync } from 'node:fs';
import { MUTATED, mutationPage, scoreLine } from './support/mutation-report.ts';
import { mutantFates } from './support/mutation-score.ts';

/** `npm run mutants`: judges all mutants and writes `docs/mutation-score.md`. */
const all = MUTATED.map((candidate) => {
  const fates = mutantFates(candidate, true);
  console.log(scoreLine(candidate, fates));
  for (const { id, killedBy, harmless } of fates) {
    if (killedBy === null && harmless === null) console.log(`  OPEN ${id}`);
    if (killedBy !== null && harmless !== null) console.log(`  OUT OF DATE ${id}: ${killedBy}`);
  }
  return { candidate, fates };
});
mkdirSync('docs', { recursive: true });
writeFileSync('docs/mutation-score.md', mutationPage(all));
