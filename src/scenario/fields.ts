import { MAX_WINDOW } from '../machine/window.ts';
import type { Scenario } from './scenario.ts';

/** What one field of a scenario may hold; features and guest have shapes of their own. */
export type FieldShape =
  | { readonly kind: 'choice'; readonly values: readonly string[] }
  | { readonly kind: 'integer'; readonly least: number; readonly most: number }
  | { readonly kind: 'flag' };

/** The fields of a scenario that are a word, a number or a flag, in the order they are written. */
export type PlainField = Exclude<keyof Scenario, 'candidate' | 'features' | 'guest'>;

/** Every plain field with what it may hold: the codec, the schema and the help text read this. */
export const PLAIN_FIELDS: { readonly [field in PlainField]: FieldShape } = {
  vcpus: { kind: 'integer', least: 1, most: 6 },
  pages: { kind: 'integer', least: 1, most: 8 },
  mapping: { kind: 'choice', values: ['page', 'block', 'block1', 'mixed', 'unmapped'] },
  layout: { kind: 'choice', values: ['across', 'adjacent', 'in-block'] },
  keepTables: { kind: 'flag' },
  range: { kind: 'choice', values: ['tight', 'wide', 'unaligned-end', 'inside-block'] },
  view: { kind: 'choice', values: ['mmu-off', 'non-cacheable', 'device', 'cacheable'] },
  faults: { kind: 'choice', values: ['ignored', 'enter-host'] },
  notifier: { kind: 'flag' },
  hosts: { kind: 'integer', least: 1, most: 2 },
  secondVm: { kind: 'flag' },
  afterwards: {
    kind: 'choice',
    values: ['nothing', 'read', 'reuse', 'read-then-reuse', 'refill', 'read-elsewhere'],
  },
  freePages: { kind: 'integer', least: 0, most: 8 },
  reschedule: { kind: 'choice', values: ['never', 'always', 'choose'] },
  window: { kind: 'integer', least: 1, most: MAX_WINDOW },
};

/** The plain fields by name. */
export const PLAIN_FIELD_NAMES = Object.keys(PLAIN_FIELDS) as readonly PlainField[];
