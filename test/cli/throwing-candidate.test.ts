import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { tlbgate } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'tlbgate-throws-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A module with a candidate whose host code is this, and which does nothing else. */
function moduleWith(name: string, host: string, expected = '() => ({ verdict: "holds" })'): string {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(
    path,
    `export const idea = {
      id: 'mine/${name}', title: 't', why: 'w', operation: 'unmap', mirrors: [], reference: [],
      expected: ${expected}, host: ${host}, fault: function* () { return 'retry'; },
    };`,
  );
  return path;
}

async function verify(path: string): Promise<{ readonly code: number; readonly err: string }> {
  const { code, out, err } = await tlbgate(
    ['verify', path, '--feature', 'fwb=on', '--pages', '1', '--rule', 'right-vmid'],
    { [path]: '' },
  );
  if (code === 2) expect(out).toBe('');
  return { code, err };
}

describe('a candidate whose code throws is bad input, not a machine that cannot be', () => {
  test('its twin that does not throw is judged', async () => {
    expect((await verify(moduleWith('calm', 'function* () {}'))).code).toBe(0);
  });

  test.each([
    ['at-once', 'function* () { throw new RangeError("no such page"); }'],
    ['no-generator', '() => { throw new RangeError("no such page"); }'],
    [
      'later',
      `function* (kvm) {
        yield { kind: 'dmb', domain: 'ish', limit: 'full', location: { file: 'f', line: 1, function: 'g', text: 't' } };
        throw new RangeError("no such page");
      }`,
    ],
    // Only some scenarios of the library meet it: leaving those out would be a verdict on the rest.
    [
      'sometimes',
      'function* (kvm, request) { if (request.range.end - request.range.start > 4096n) throw new RangeError("no such page"); }',
    ],
  ])('%s', async (name, host) => {
    const { code, err } = await verify(moduleWith(name, host));
    expect(code).toBe(2);
    expect(err).toBe(
      `error: The candidate mine/${name} throws in its function "host" (RangeError: no such page): no verdict; mend the code, then ask again.\n`,
    );
  });

  test('in what it expects', async () => {
    const path = moduleWith('expects', 'function* () {}', '() => { throw new Error("oh"); }');
    expect(await verify(path)).toEqual({
      code: 2,
      err: 'error: The candidate mine/expects throws in its function "expected" (Error: oh): no verdict; mend the code, then ask again.\n',
    });
  });

  const ENDLESS = (effect: string): string =>
    `function* () { for (;;) yield { ${effect}, location: { file: 'f', line: 1, function: 'g', text: 't' } }; }`;

  test.each(['dmb', 'dsb'])('of %s without end', async (kind) => {
    const { code, err } = await verify(
      moduleWith(
        `${kind}-loop`,
        ENDLESS(`kind: '${kind}', domain: 'ish', limit: 'full', nXS: false`),
      ),
    );
    expect(code).toBe(2);
    expect(err).toContain(
      'asks for more than 100000 effects in one run; does a loop of it not end?',
    );
  });
});
