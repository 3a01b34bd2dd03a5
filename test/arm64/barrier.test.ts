import { expect, test } from 'vitest';
import {
  BARRIERS,
  dmbOrdersLater,
  dsbCompletes,
  ordersEarlier,
  parseBarrier,
  showBarrier,
  type Dsb,
} from '../../src/arm64/barrier.ts';
import { tlbi } from '../../src/arm64/tlbi.ts';

function dsb(text: string): Dsb {
  const parsed = parseBarrier(text);
  if (parsed.kind === 'error' || parsed.barrier.kind !== 'dsb') throw new Error(text);
  return parsed.barrier;
}

test('every barrier parses from what it shows, in any case', () => {
  for (const barrier of BARRIERS) {
    expect(parseBarrier(showBarrier(barrier))).toEqual({ kind: 'barrier', barrier });
    expect(parseBarrier(showBarrier(barrier).toLowerCase())).toEqual({ kind: 'barrier', barrier });
  }
  expect(new Set(BARRIERS.map(showBarrier)).size).toBe(12 + 12 + 4 + 1);
});

test('the twelve options of the instruction set, and the nXS ones', () => {
  const options = BARRIERS.filter((barrier) => barrier.kind === 'dsb').map(showBarrier);
  expect(options).toEqual(
    [
      'NSH NSHLD NSHST ISH ISHLD ISHST OSH OSHLD OSHST SY LD ST',
      'NSHnXS ISHnXS OSHnXS SYnXS',
    ].flatMap((row) => row.split(' ').map((option) => `DSB ${option}`)),
  );
});

test('assembly and kernel spelling', () => {
  expect(dsb('dsb(ishst)')).toEqual({ kind: 'dsb', domain: 'ish', access: 'st', nxs: false });
  expect(dsb('DSB SY')).toEqual({ kind: 'dsb', domain: 'sy', access: 'full', nxs: false });
  expect(dsb('DSB ST')).toMatchObject({ domain: 'sy', access: 'st' });
  expect(dsb('DSB ISHnXS')).toMatchObject({ domain: 'ish', nxs: true });
  for (const isb of ['ISB', 'isb()', 'ISB SY']) {
    expect(parseBarrier(isb)).toEqual({ kind: 'barrier', barrier: { kind: 'isb' } });
  }
  for (const bad of ['', 'DSB', 'DMB ISHnXS', 'DSB ISHSTnXS', 'ISB ISH', 'smp_mb()']) {
    expect(parseBarrier(bad)).toMatchObject({ kind: 'error', code: 'barrier-unknown' });
  }
});

test('a DSB completes a TLBI of its own PE when it covers loads and stores and the domain', () => {
  const row = (name: string): string =>
    ['VAE1', 'VAE1IS', 'VAE1OS'].map((op) => dsbCompletes(dsb(name), tlbi(op))).join(' ');
  expect(row('DSB NSH')).toBe('all nothing nothing');
  expect(row('DSB ISH')).toBe('all all nothing');
  expect(row('DSB OSH')).toBe('all all all');
  expect(row('DSB SY')).toBe('all all all');
  for (const half of ['NSHLD', 'NSHST', 'ISHLD', 'ISHST', 'OSHST', 'LD', 'ST']) {
    expect(row(`DSB ${half}`)).toBe('nothing nothing nothing');
  }
});

test('both TLBI and DSB have to be plain to wait for accesses with XS = 1', () => {
  expect(dsbCompletes(dsb('DSB ISH'), tlbi('VAE1ISNXS'))).toBe('without-xs');
  expect(dsbCompletes(dsb('DSB ISHnXS'), tlbi('VAE1IS'))).toBe('without-xs');
  expect(dsbCompletes(dsb('DSB ISHnXS'), tlbi('VAE1ISNXS'))).toBe('without-xs');
  expect(dsbCompletes(dsb('DSB ISH'), tlbi('VAE1IS'))).toBe('all');
  expect(dsbCompletes(dsb('DSB NSHnXS'), tlbi('VAE1IS'))).toBe('nothing');
});

test('DMB: LD orders loads before everything, ST stores before stores, full everything', () => {
  const kinds = ['load', 'store'] as const;
  const row = (access: 'full' | 'ld' | 'st'): string =>
    kinds
      .flatMap((a) =>
        kinds.map((b) => (ordersEarlier(access, a) && dmbOrdersLater(access, b) ? 'y' : '-')),
      )
      .join('');
  // load-load, load-store, store-load, store-store
  expect(row('full')).toBe('yyyy');
  expect(row('ld')).toBe('yy--');
  expect(row('st')).toBe('---y');
});
