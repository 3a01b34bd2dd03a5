import type { AccessKind } from '../guest/access.ts';
import type { Overrides } from '../explore/library.ts';
import { PLAIN_FIELDS } from '../scenario/fields.ts';
import { inputError, type InputError } from '../scenario/input-error.ts';
import type { TraceAccess } from '../scenario/scenario.ts';

const LETTERS: { readonly [letter: string]: AccessKind } = { r: 'read', w: 'write', x: 'execute' };

function most(field: 'pages' | 'vcpus'): number {
  const shape = PLAIN_FIELDS[field];
  return shape.kind === 'integer' ? shape.most : Infinity;
}

/** What a scenario may have; a larger world is never built. */
export const MOST = { pages: most('pages'), vcpus: most('vcpus') };

/**
 * `general`, or a trace: `w0,r1;r0` is two vCPUs, the first writes page 0 and reads page 1, the second
 * reads page 0.
 */
export function parseGuest(text: string): Overrides | InputError {
  if (text === 'general') return {};
  const vcpus: TraceAccess[][] = [];
  for (const list of text.split(';')) {
    const steps: TraceAccess[] = [];
    for (const word of list.split(',')) {
      const match = /^([rwx])(\d+)$/.exec(word.trim());
      const access = LETTERS[match?.[1] ?? ''];
      if (match === null || access === undefined) {
        return inputError(
          'guest-syntax',
          `--guest cannot be "${text}": write "general", or accesses such as w0,r1;r0 (r, w or x and the number of a page; ";" begins the next vCPU).`,
        );
      }
      steps.push({ access, page: Number(match[2]) });
    }
    vcpus.push(steps);
  }
  const pages = 1 + Math.max(...vcpus.flat().map(({ page }) => page));
  if (pages > MOST.pages || vcpus.length > MOST.vcpus) {
    return inputError(
      'guest-syntax',
      `--guest cannot be "${text}": pages are 0 to ${MOST.pages - 1}, and there are at most ${MOST.vcpus} vCPUs.`,
    );
  }
  return { guest: { kind: 'trace', vcpus }, vcpus: vcpus.length, ...(pages > 1 ? { pages } : {}) };
}
