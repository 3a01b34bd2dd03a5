import { writeFileSync } from 'node:fs';
import { FEATURE_DEFINITIONS } from '../arm64/features.ts';
import { limitsPage } from '../report/limits-page.ts';
import { LIMITS } from '../report/limits.ts';
import { rulesPage } from '../report/rules-page.ts';
import { ALL_RULES } from '../rules/all-rules.ts';

// `npm run docs`: writes the pages that are made from the sources.
writeFileSync('docs/rules.md', rulesPage(ALL_RULES));
writeFileSync('docs/limits.md', limitsPage(LIMITS, FEATURE_DEFINITIONS));
