import type { Rule } from '../rules/rule.ts';

/** The text of docs/rules.md; a test checks that the file is this. */
export function rulesPage(rules: readonly Rule[]): string {
  const sections = rules.map(({ id, family, statement, why, sources }) =>
    [
      `## ${id}`,
      '',
      statement,
      '',
      why,
      '',
      `Family ${family}. From:`,
      '',
      ...sources.map((source) => `- ${source}`),
      '',
    ].join('\n'),
  );
  return [
    '# Rules',
    '',
    'What a candidate is checked for. All rules are checked in every scenario; `tlbgate explain ID` prints',
    'one. The window between clearing an entry and flushing it, inside of an operation, breaks none of them:',
    'the contract is "gone before the return", not "gone at once".',
    '',
    'This page is written from `src/rules`: `npm run docs` after a change.',
    '',
    ...sections,
  ].join('\n');
}
