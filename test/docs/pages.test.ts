import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FEATURE_DEFINITIONS } from '../../src/arm64/features.ts';
import { limitsPage } from '../../src/report/limits-page.ts';
import { LIMITS } from '../../src/report/limits.ts';
import { rulesPage } from '../../src/report/rules-page.ts';
import { ALL_RULES } from '../../src/rules/all-rules.ts';

test('docs/rules.md is what src/rules says (npm run docs)', () => {
  expect(readFileSync('docs/rules.md', 'utf8')).toBe(rulesPage(ALL_RULES));
});

test('docs/limits.md is what the sources say (npm run docs)', () => {
  expect(readFileSync('docs/limits.md', 'utf8')).toBe(limitsPage(LIMITS, FEATURE_DEFINITIONS));
});

test('the report in README.md is the one that is printed', () => {
  const readme = readFileSync('README.md', 'utf8');
  const block = /<!-- seed report -->\s*```text\n([^]*?)```\s*<!-- end -->/.exec(readme)?.[1] ?? '';
  expect(block).toBe(readFileSync('test/report/seed.report.txt', 'utf8'));
});
