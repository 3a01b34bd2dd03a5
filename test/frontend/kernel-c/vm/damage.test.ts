import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseUnit } from '../../../../src/frontend/kernel-c/parse/unit.ts';
import { advance, startThread } from '../../../../src/frontend/kernel-c/vm/advance.ts';
import { createProgram } from '../../../../src/frontend/kernel-c/vm/program.ts';
import { FrontendError } from '../../../../src/frontend/kernel-c/diagnostic.ts';
import { preprocessFiles } from '../units.ts';

const WHOLE = `
typedef unsigned long u64;
typedef struct { u64 v; } pte_t;
enum level { PGD = 1, PMD, PTE };
struct ops { void (*flush)(u64, int); int n : 3; union { int a; char b[4]; }; };
extern u64 limit;
static u64 count[4] = { [1] = 2, 3 };
static void flush(u64 at, int how) { asm volatile("tlbi %0" : : "r" (at << how) : "memory"); }
static struct ops ops = { .flush = flush, .n = 2, .b = "ab" };
static pte_t mk(u64 v) { return (pte_t){ .v = v | 1 }; }
int f(pte_t *table, int n) {
  int done = 0;
  for (int i = 0; i < n; i++) {
    pte_t old = table[i];
    switch (old.v & 3) { case 0: continue; case 1 ... 2: done++; break; default: goto out; }
    table[i] = mk(({ u64 t = old.v; t * 2; }));
    ops.flush(i ?: limit, ops.n);
    count[i & 3] += sizeof(old) - PTE;
  }
out:
  return done ? (int)count[1] : -ops.a;
}
`;

/** Runs `f` of a text as far as it goes; the kind of its end. */
function outcome(text: string): string {
  const tokens = preprocessFiles({ 'main.c': text });
  if (tokens.kind === 'failed') return 'no tokens';
  const unit = parseUnit(tokens.value.tokens);
  if (unit.kind === 'failed') return 'no unit';
  const program = createProgram([unit.value], { fuel: 20_000 });
  try {
    let at = startThread(program, 0, 'f', [0x1000n, 4n]);
    for (let i = 0; at.kind === 'event' && i < 40; i++) {
      const { event, state } = at;
      at = advance(program, state, { values: event.kind === 'load' ? [BigInt(i)] : [0n, 0n] });
    }
    return at.kind;
  } catch (error) {
    if (error instanceof FrontendError) return 'thrown';
    throw error;
  }
}

test('the whole text runs', () => {
  expect(outcome(WHOLE)).toBe('finished');
});

test('damaged C ends in a sentence: nothing crashes, hangs or takes all memory', () => {
  const words = WHOLE.split(/(\s+|\b)/).filter((word) => word !== '');
  const place = fc.nat({ max: words.length - 1 });
  const edit = fc.oneof(
    fc.record({ kind: fc.constant('drop'), at: place, from: place }),
    fc.record({ kind: fc.constant('copy'), at: place, from: place }),
    fc.record({ kind: fc.constant('swap'), at: place, from: place }),
    fc.record({ kind: fc.constant('huge'), at: place, from: place }),
  );
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const text = [...words];
      for (const { kind, at, from } of edits) {
        const other = words[from] ?? '';
        if (kind === 'drop') text[at] = '';
        else if (kind === 'copy') text.splice(at, 0, other);
        else if (kind === 'huge') text[at] = '99999999999';
        else {
          text[from] = words[at] ?? '';
          text[at] = other;
        }
      }
      const ends = ['no tokens', 'no unit', 'finished', 'stopped', 'event'];
      expect(ends).toContain(outcome(text.join('')));
    }),
    { numRuns: 200 },
  );
});
