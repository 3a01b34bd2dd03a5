import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gitBlobId, isBlobOf, sha1Hex } from '../../../../src/frontend/kernel-c/patch/blob-id.ts';

test('git names the empty file and a known text as it always does', () => {
  expect(gitBlobId('')).toBe('e69de29bb2d1d6434b8b29ae775ad8c2e48c5391');
  expect(gitBlobId('hello\n')).toBe('ce013625030ba8dba906f756967f9e9ca394464a');
  expect(isBlobOf('ce013625', 'hello\n')).toBe(true);
  expect(isBlobOf('ce013625', 'hello')).toBe(false);
});

test('SHA-1 agrees with the one of node', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(sha1Hex(bytes)).toBe(createHash('sha1').update(bytes).digest('hex'));
    }),
  );
});
