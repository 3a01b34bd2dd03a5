import type { Candidate } from '../../src/candidates/candidate.ts';
import { CANDIDATES } from '../../src/candidates/catalogue.ts';
import { featureMatrix } from '../../src/explore/matrix.ts';
import { SITUATIONS, type MutantFate } from './mutation-score.ts';

/** The forms of the unmap path whose mutants are judged: the baseline, and those that hold everywhere. */
export const MUTATED: readonly Candidate[] = CANDIDATES.filter(
  (candidate) =>
    candidate.operation === 'unmap' &&
    candidate.id.startsWith('unmap-stage2-range/') &&
    featureMatrix().every(
      (features) =>
        candidate.expected({ ...features, ttl: true }).verdict === 'holds' &&
        candidate.expected({ ...features, icache: 'vpipt' }).verdict === 'holds',
    ),
);

/** The line of the table about one candidate. */
export function scoreLine(candidate: Candidate, fates: readonly MutantFate[]): string {
  const killed = fates.filter(({ killedBy }) => killedBy !== null).length;
  const harmless = fates.filter((fate) => fate.killedBy === null && fate.harmless !== null).length;
  const open = fates.length - killed - harmless;
  const name = candidate.id.replace('unmap-stage2-range/', '');
  return `| ${name} | ${fates.length} | ${killed} | ${harmless} | ${open} |`;
}

/** The page `docs/mutation-score.md`. */
export function mutationPage(
  all: readonly { readonly candidate: Candidate; readonly fates: readonly MutantFate[] }[],
): string {
  const rules = new Map<string, number>();
  for (const { killedBy } of all.flatMap(({ fates }) => fates)) {
    if (killedBy !== null) rules.set(killedBy, (rules.get(killedBy) ?? 0) + 1);
  }
  return [
    '# Mutation score of the host algorithms',
    '',
    'Written by `npm run mutants`; `npm test` fails when the counts are out of date.',
    '',
    'A mutant is the candidate with one small mistake: a barrier, TLBI or cache operation dropped, two',
    'maintenance steps swapped, a scope narrowed, a page skipped, the wrong VMID, the leaf-only form, a',
    `level hint, a table freed before its flush. Each is tried in ${SITUATIONS} situations (FWB, VHE, tables`,
    'that stay and that go, pages and blocks, two pages, a lock drop, a VPIPT I-cache, two unmaps with a',
    'faulting guest) until a rule refutes it. What survives everywhere needs an argument',
    '(`src/candidates/mutants/harmless.ts`), and an argument for a mutant that is refuted is an error.',
    '',
    '| candidate | mutants | refuted | harmless, with an argument | open |',
    '| --- | --: | --: | --: | --: |',
    ...all.map(({ candidate, fates }) => scoreLine(candidate, fates)),
    '',
    '## Rules that refute',
    '',
    '| rule | mutants refuted first by it |',
    '| --- | --: |',
    ...[...rules].sort(([, a], [, b]) => b - a).map(([rule, count]) => `| ${rule} | ${count} |`),
    '',
    '## Survivors',
    '',
    'A redundant step is a finding about the code, or about what the model can tell apart; the argument',
    'says which.',
    ...all.flatMap(({ candidate, fates }) => ['', `### ${candidate.id}`, '', ...survivors(fates)]),
    '',
  ].join('\n');
}

function survivors(fates: readonly MutantFate[]): readonly string[] {
  const byReason = new Map<string, string[]>();
  for (const { id, killedBy, harmless } of fates) {
    if (killedBy !== null) continue;
    const reason = harmless ?? 'OPEN: no argument, and no rule refutes it.';
    byReason.set(reason, [...(byReason.get(reason) ?? []), id.slice(id.indexOf('#') + 1)]);
  }
  return [...byReason].flatMap(([reason, ids]) => [
    `- ${reason}`,
    ...ids.map((id) => `  - \`${id}\``),
  ]);
}
