import { CANDIDATES } from '../../candidates/catalogue.ts';
import { featureMatrix } from '../../explore/matrix.ts';
import { listJson } from '../../report/json.ts';
import { columns, labelled } from '../../report/layout.ts';
import { ALL_RULES } from '../../rules/all-rules.ts';
import type { Candidate } from '../../candidates/candidate.ts';
import type { Io } from '../io.ts';
import { styleOf } from '../style.ts';

/** `tlbgate list`. */
export function listCommand(options: { readonly json?: boolean }, io: Io): number {
  if (options.json === true) {
    io.out(`${JSON.stringify(listJson(CANDIDATES, ALL_RULES, featureMatrix()))}\n`);
    return 0;
  }
  const style = styleOf(io);
  const rows = CANDIDATES.map((candidate) => [candidate.id, expectedWords(candidate)]);
  const lines = [
    'candidates, with the verdict we expect',
    ...columns(rows, 2),
    '',
    'rules',
    ...ALL_RULES.flatMap(({ id, statement }) => labelled(`  ${id}: `, statement, style.width)),
  ];
  io.out(`${lines.join('\n')}\n`);
  return 0;
}

function expectedWords(candidate: Candidate): string {
  const expectations = featureMatrix().map((features) => candidate.expected(features));
  const conditions = new Set<string>();
  for (const expectation of expectations) {
    if (expectation.verdict !== 'refuted') continue;
    const [first] = expectation.refutations;
    conditions.add(`${first.rule}, ${first.condition}`);
  }
  return conditions.size === 0 ? 'holds' : `refuted (${[...conditions].join('; ')})`;
}
