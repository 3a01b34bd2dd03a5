import fc from 'fast-check';
import { expect, test } from 'vitest';
import { advance, startThread } from '../../../../src/frontend/kernel-c/vm/advance.ts';
import {
  createAutomaton,
  follow,
  isLine,
  nodeAt,
  nodeOf,
} from '../../../../src/frontend/kernel-c/vm/automaton.ts';
import { fingerprint } from '../../../../src/frontend/kernel-c/vm/state.ts';
import { programOf } from './run.ts';

const WALK = `
int f(unsigned long *table, int n) {
  int present = 0;
  for (int i = 0; i < n; i++) {
    if (!(table[i] & 1)) continue;
    table[i] = 0;
    present++;
  }
  asm volatile("dsb ish");
  return present;
}`;

test('states that differ in nothing are one node, whatever led there', () => {
  const program = programOf([WALK]);
  const automaton = createAutomaton(program);
  const start = nodeOf(automaton, startThread(program, 0, 'f', [0x1000n, 2n]));
  expect(nodeOf(automaton, startThread(program, 0, 'f', [0x1000n, 2n]))).toBe(start);
  const empty = follow(automaton, start, { values: [0n] });
  expect(follow(automaton, start, { values: [0n] })).toBe(empty);
  // Another value with a clear low bit: nobody reads the rest of the word, the thread is the same.
  expect(follow(automaton, start, { values: [0x7770n] })).toBe(empty);
  const store = follow(automaton, start, { values: [3n] });
  expect(nodeAt(automaton, store)).toMatchObject({ kind: 'event', event: { kind: 'store' } });
  expect(store).not.toBe(empty);
  expect(isLine(automaton)).toBe(false);
  expect(() => follow(automaton, 99, { values: [] })).toThrow('no node 99');
});

test('a thread whose answers never differ is a line', () => {
  const program = programOf([WALK]);
  const automaton = createAutomaton(program);
  let at = nodeOf(automaton, startThread(program, 0, 'f', [0x1000n, 3n]));
  for (;;) {
    const node = nodeAt(automaton, at);
    if (node.kind !== 'event') break;
    at = follow(automaton, at, { values: node.event.kind === 'load' ? [1n] : [] });
  }
  expect(nodeAt(automaton, at)).toMatchObject({ kind: 'finished', value: 3n });
  expect([automaton.nodes.length, isLine(automaton)]).toEqual([8, true]);
});

test('walking the automaton gives what running the machine gives', () => {
  const program = programOf([WALK]);
  const automaton = createAutomaton(program);
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0n, 1n, 3n), { minLength: 3, maxLength: 3 }), (words) => {
      const loads = [...words];
      let at = nodeOf(automaton, startThread(program, 0, 'f', [0x1000n, 3n]));
      let run = startThread(program, 0, 'f', [0x1000n, 3n]);
      for (;;) {
        const node = nodeAt(automaton, at);
        expect(node.kind).toBe(run.kind);
        if (node.kind !== 'event' || run.kind !== 'event') break;
        expect(node.event).toEqual(run.event);
        expect(fingerprint(node.state)).toBe(fingerprint(run.state));
        const answer = { values: run.event.kind === 'load' ? [loads.shift() ?? 0n] : [] };
        at = follow(automaton, at, answer);
        run = advance(program, run.state, answer);
      }
      expect(nodeAt(automaton, at)).toMatchObject({
        value: BigInt(words.filter((word) => (word & 1n) === 1n).length),
      });
    }),
  );
});
