import { describe, expect, it } from 'vitest';
import { DONE, type Answer, type Effect } from '../../../../src/program/effect.ts';
import { picks, sources } from '../../../../src/program/expr.ts';
import { parseHerd, readable } from '../support.ts';

const TAKEN: Answer = { kind: 'value', value: 1n };

/** The effects along the path on which every guess is answered 1. */
function effectsOf(code: readonly string[]): readonly Effect[] {
  const rows = code.map((line) => ` ${line} ;`).join('\n');
  const test = readable(parseHerd('t', `AArch64 t\n{0:X1=x; 0:X2=y;}\n P0 ;\n${rows}\n`));
  const [tree] = test.threads;
  if (tree === undefined) throw new Error('no thread');
  const effects: Effect[] = [];
  let node = tree.root;
  for (let effect = tree.effectAt(node); effect !== null; effect = tree.effectAt(node)) {
    effects.push(effect);
    const guess = effect.kind === 'branch' || effect.kind === 'select' || effect.kind === 'choose';
    node = tree.next(node, guess ? TAKEN : DONE);
  }
  return effects;
}

function access(
  effects: readonly Effect[],
  index: number,
): Extract<Effect, { kind: 'load' | 'store' }> {
  const effect = effects[index];
  if (effect?.kind !== 'load' && effect?.kind !== 'store') throw new Error('not an access');
  return effect;
}

describe('dependencies', () => {
  it('an address dependency survives arithmetic that cancels', () => {
    const effects = effectsOf(['LDR W0,[X1]', 'EOR W3,W0,W0', 'LDR W4,[X2,W3,SXTW]']);
    expect(sources(access(effects, 1).at.address)).toEqual([0]);
  });

  it('a data dependency goes through registers and moves', () => {
    const effects = effectsOf(['LDR W0,[X1]', 'MOV W3,W0', 'ADD W3,W3,#1', 'STR W3,[X2]']);
    const store = access(effects, 1);
    expect(store.kind === 'store' ? sources(store.data) : null).toEqual([0]);
  });

  it('XZR and overwritten registers carry nothing', () => {
    const effects = effectsOf(['LDR W0,[X1]', 'MOV W0,#1', 'STR W0,[X2]', 'STR WZR,[X2]']);
    const first = access(effects, 1);
    expect(first.kind === 'store' ? sources(first.data) : null).toEqual([]);
  });

  it('a select is asked for where an instruction reads its result, as a pick', () => {
    const effects = effectsOf([
      'LDR W0,[X1]',
      'CMP W0,#0',
      'CSEL W3,WZR,WZR,EQ',
      'LDR W4,[X2,W3,SXTW]',
    ]);
    expect(effects.map(({ kind }) => kind)).toEqual(['load', 'select', 'load']);
    const load = access(effects, 2);
    expect(sources(load.at.address)).toEqual([]);
    expect(picks(load.at.address)).toEqual([1]);
  });

  it('a select that only the final state sees is no effect', () => {
    const effects = effectsOf(['LDR W0,[X1]', 'CMP W0,#0', 'CSET W3,EQ']);
    expect(effects.map(({ kind }) => kind)).toEqual(['load']);
  });

  it('a successful CAS leaves the register picked, not loaded', () => {
    const effects = effectsOf(['MOV W3,#1', 'CAS W3,W4,[X1]', 'STR W3,[X2]']);
    expect(effects.map(({ kind }) => kind)).toEqual(['rmw', 'select', 'store']);
    const store = access(effects, 2);
    expect(store.kind === 'store' ? [sources(store.data), picks(store.data)] : null).toEqual([
      [],
      [1],
    ]);
  });

  it('with a loaded compare value there are two sources to choose from', () => {
    const effects = effectsOf(['LDR W3,[X2]', 'CAS W3,W4,[X1]', 'STR W3,[X2]']);
    expect(effects.map(({ kind }) => kind)).toEqual(['load', 'rmw', 'select', 'choose', 'store']);
  });

  it('a branch on a constant is not a branch', () => {
    const effects = effectsOf(['MOV W0,#0', 'CBZ W0,L', 'STR W0,[X1]', 'L: NOP']);
    expect(effects).toEqual([]);
  });

  it('the old value that nobody keeps makes a no-return read without acquire', () => {
    const [effect] = effectsOf(['MOV W0,#1', 'SWPAL W0,WZR,[X1]']);
    expect(effect).toMatchObject({ kind: 'rmw', noReturn: true, acquire: false, release: true });
  });

  it('one node for one state: both ways of an empty branch meet again', () => {
    const test = readable(
      parseHerd('t', 'AArch64 t\n{0:X1=x;}\n P0 ;\n LDR W0,[X1] ;\n CBZ W0,L ;\n L: DMB SY ;\n'),
    );
    const [tree] = test.threads;
    const branch = tree?.next(tree.root, DONE) ?? -1;
    const taken = tree?.next(branch, TAKEN);
    expect(tree?.next(branch, { kind: 'value', value: 0n })).toBe(taken);
    expect(tree?.next(tree.root, { kind: 'value', value: 5n })).toBe(branch);
  });
});
