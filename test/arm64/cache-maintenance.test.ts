import { expect, test } from 'vitest';
import { CACHE_OPS, parseCacheOp } from '../../src/arm64/cache-maintenance.ts';

test('what each operation does, in a row: cache, target, point, clean/invalidate/zero, reach', () => {
  const rows = CACHE_OPS.map(
    (op) =>
      `${op.name}: ${op.cache} ${op.target} ${op.point ?? 'none'} ` +
      `${op.cleans ? 'c' : '-'}${op.invalidates ? 'i' : '-'}${op.zeroes ? 'z' : '-'} ${op.scope}`,
  );
  expect(rows).toEqual([
    'DC CVAC: data line poc c-- of-address',
    'DC CIVAC: data line poc ci- of-address',
    'DC IVAC: data line poc -i- of-address',
    'DC CVAU: data line pou c-- of-address',
    'DC CVAP: data line pop c-- of-address',
    'DC ZVA: data block none --z of-address',
    'IC IALLU: instruction all pou -i- local',
    'IC IALLUIS: instruction all pou -i- inner',
    'IC IVAU: instruction line pou -i- of-address',
  ]);
});

test('operations are found by name, whatever the case and spacing', () => {
  for (const op of CACHE_OPS) {
    expect(parseCacheOp(op.name)).toEqual({ kind: 'cache-op', op });
    expect(parseCacheOp(` ${op.name.toLowerCase().replace(' ', '  ')} `)).toEqual({
      kind: 'cache-op',
      op,
    });
  }
  expect(parseCacheOp('DC CISW')).toMatchObject({ kind: 'error', code: 'cache-op-unknown' });
});
