import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HERD_FIXTURES, ISLA_FIXTURES } from './fixtures.ts';
import { parseHerd, parseIsla } from './support.ts';

interface Edit {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}

const MARKS = [
  ...'[]{}()|;:,=~"#*&.\\/\n <>^-0x9PX'.split(''),
  'P0',
  '0b',
  '0x1',
  '<<',
  '/\\',
  '(*',
  '?->',
  '99999999999',
];

const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.nat({ max: 12 }),
  insert: fc.oneof(
    fc.constant(''),
    fc.constantFrom(...MARKS),
    fc.array(fc.constantFrom(...MARKS), { maxLength: 4 }).map((marks) => marks.join('')),
  ),
});

function damaged(fixtures: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...fixtures), fc.array(edit, { minLength: 1, maxLength: 4 }))
    .map(([text, edits]) =>
      edits.reduce((current, { at, remove, insert }) => {
        const offset = Math.floor(at * current.length);
        return current.slice(0, offset) + insert + current.slice(offset + remove);
      }, text),
    );
}

describe('damaged tests', () => {
  it.each([
    ['herd7', damaged(HERD_FIXTURES), parseHerd],
    ['isla', damaged(ISLA_FIXTURES), parseIsla],
  ] as const)(
    '%s: are read or refused with a place and one sentence, never thrown at',
    (_, texts, parse) => {
      fc.assert(
        fc.property(texts, (text) => {
          const parsed = parse('damaged', text);
          if (parsed.kind === 'test') return;
          const { line, column, message, file } = parsed.problem;
          const lines = text.split('\n');
          expect(file).toBe('damaged');
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(lines.length);
          expect(column).toBeGreaterThanOrEqual(1);
          expect(message).toMatch(/\.$/);
        }),
        { numRuns: 400 },
      );
    },
  );

  it('any text at all is read or refused', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseHerd('any', text);
        parseIsla('any', text);
      }),
      { numRuns: 200 },
    );
  });
});
