import { expect, test } from 'vitest';
import { never } from '../../src/util/never.ts';

test('an exhaustive switch that is passed an unknown variant names it', () => {
  expect(() => never('surprise' as unknown as never)).toThrow('surprise');
});
