import type { FeatureDefinition } from '../arm64/features.ts';
import type { Limit } from './limits.ts';

/** The text of docs/limits.md; a test checks that the file is this. */
export function limitsPage(
  limits: readonly Limit[],
  features: readonly FeatureDefinition[],
): string {
  return [
    '# What is not modelled',
    '',
    'A verdict holds within its bounds and for this machine. What the machine leaves out, or does more',
    'coarsely than hardware, is listed here and named beside every verdict. This page is written from',
    '`src/report/limits.ts` and `src/arm64/features.ts`: `npm run docs` after a change.',
    '',
    '## In every run',
    '',
    '| what | in words | effect |',
    '| --- | --- | --- |',
    ...limits.map(({ name, text, effect }) => `| ${name} | ${text} | ${effect} |`),
    '',
    '## Features that are refused',
    '',
    'Asking for a value of one of these other than the default is bad input: there is no verdict for it.',
    '',
    '| feature | why |',
    '| --- | --- |',
    ...features.flatMap(({ name, model }) =>
      model.kind === 'not-modelled' ? [`| ${name} | ${model.note} |`] : [],
    ),
    '',
    '## Readings',
    '',
    'Where the architecture can be read in two ways, a switch says which way was taken; the defaults are',
    'what Linux relies on.',
    '',
    '| switch | when on |',
    '| --- | --- |',
    ...features.flatMap(({ name, meaning }) =>
      name.startsWith('reading-') ? [`| ${name} | ${meaning} |`] : [],
    ),
    '',
  ].join('\n');
}
