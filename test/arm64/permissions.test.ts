import { expect, test } from 'vitest';
import {
  addTableRestrictions,
  ALL_PERMISSIONS,
  combinePermissions,
  NO_TABLE_RESTRICTIONS,
  stage1Permissions,
  stage2Permissions,
  type Access,
  type Permissions,
} from '../../src/arm64/permissions.ts';

function brief(access: Access): string {
  return `${access.read ? 'r' : '-'}${access.write ? 'w' : '-'}${access.execute ? 'x' : '-'}`;
}

function show(permissions: Permissions): string {
  return `${brief(permissions.privileged)} ${brief(permissions.el0)}`;
}

const LEAF = { el0: false, readOnly: false, pxn: false, uxn: false };

test('AP[2:1] of stage 1: privileged, then EL0', () => {
  expect(show(stage1Permissions(LEAF))).toBe('rwx --x');
  // What EL0 can write, EL1 cannot execute.
  expect(show(stage1Permissions({ ...LEAF, el0: true }))).toBe('rw- rwx');
  expect(show(stage1Permissions({ ...LEAF, readOnly: true }))).toBe('r-x --x');
  expect(show(stage1Permissions({ ...LEAF, el0: true, readOnly: true }))).toBe('r-x r-x');
});

test('PXN and UXN take execution from one level each', () => {
  expect(show(stage1Permissions({ ...LEAF, pxn: true }))).toBe('rw- --x');
  expect(show(stage1Permissions({ ...LEAF, uxn: true }))).toBe('rwx ---');
});

test('tables above take rights away from everything below', () => {
  const none = NO_TABLE_RESTRICTIONS;
  const user = { ...LEAF, el0: true };
  // Without EL0 access above, the page is no longer writable by EL0, so EL1 may execute it.
  expect(show(stage1Permissions(user, { ...none, noEl0: true }))).toBe('rwx --x');
  expect(show(stage1Permissions(user, { ...none, readOnly: true }))).toBe('r-x r-x');
  expect(show(stage1Permissions(user, { ...none, uxn: true }))).toBe('rw- rw-');
  expect(show(stage1Permissions(LEAF, { ...none, pxn: true }))).toBe('rw- --x');
  expect(addTableRestrictions({ ...none, uxn: true }, { ...none, readOnly: true })).toEqual({
    noEl0: false,
    readOnly: true,
    uxn: true,
    pxn: false,
  });
});

test('stage 2: S2AP the same for both levels, XN[1:0] with FEAT_XNX', () => {
  const s2 = (read: boolean, write: boolean, xn: number): string =>
    show(stage2Permissions({ read, write, xn }));
  expect(s2(false, false, 0b10)).toBe('--- ---');
  expect(s2(true, false, 0b10)).toBe('r-- r--');
  expect(s2(false, true, 0b10)).toBe('-w- -w-');
  expect(s2(true, true, 0b10)).toBe('rw- rw-');
  expect(s2(true, true, 0b00)).toBe('rwx rwx');
  expect(s2(true, true, 0b01)).toBe('rw- rwx');
  expect(s2(true, true, 0b11)).toBe('rwx rw-');
});

test('both stages have to permit an access', () => {
  const flags = [false, true];
  const stage1 = flags.flatMap((el0) =>
    flags.flatMap((readOnly) =>
      flags.map((uxn) => stage1Permissions({ ...LEAF, el0, readOnly, uxn })),
    ),
  );
  const stage2 = flags.flatMap((read) =>
    flags.flatMap((write) => [0, 1, 2, 3].map((xn) => stage2Permissions({ read, write, xn }))),
  );
  for (const a of stage1) {
    expect(combinePermissions(a, ALL_PERMISSIONS)).toEqual(a);
    for (const b of stage2) {
      const both = combinePermissions(a, b);
      for (const level of ['privileged', 'el0'] as const) {
        for (const right of ['read', 'write', 'execute'] as const) {
          expect(both[level][right]).toBe(a[level][right] && b[level][right]);
        }
      }
    }
  }
});
