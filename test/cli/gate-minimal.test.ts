import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { breaks, narrowestScenario } from '../../src/explore/smallest-scenario.ts';
import { cheapestRun } from '../../src/explore/counterexample-search.ts';
import { kernelSubject } from '../../src/explore/gate-subject.ts';
import { noAccessAfterReturn } from '../../src/rules/no-access-after-return.ts';
import { opened } from '../scenario/kernel/on-tree.ts';
import { readSmallLegacy } from '../scenario/small-legacy/tree.ts';
import { readSmallPgtable } from '../scenario/small-pgtable/tree.ts';
import { type Ran, tlbgateReading } from './run.ts';

const MMU = 'arch/arm64/kvm/mmu.c';
const TLB = 'arch/arm64/kvm/hyp/vhe/tlb.c';
/** The DSB that waits for the TLBIs of an IPA. */
const LAST_DSB = /(tlbi\(vmalle1is\);\s*)dsb\(ish\);/;
const PATH = 'scenarios/kvm-pgtable/unmap-page.c';
const FILE = { path: PATH, text: readFileSync(PATH, 'utf8') };

function broken(path: string): string | null {
  const text = readSmallPgtable(path);
  return path === TLB ? (text?.replace(LAST_DSB, '$1') ?? null) : text;
}

function run(
  args: readonly string[],
  further: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  return tlbgateReading(args, (path) =>
    path.startsWith('tree/') ? broken(path.slice('tree/'.length)) : (further[path] ?? null),
  );
}

const TREE = ['tree', '--tree', 'tree', '--scenario', 'a table that stays'];
const MACHINE = ['vhe=on', 'fwb=on', 'tlbi-range=off', 'ttl=off'].flatMap((word) => [
  '--feature',
  word,
]);

describe('a refutation of a scenario file', () => {
  test('is given by a minimal run in bounds as narrow as the rule allows, which is repeated', async () => {
    const { code, out, written } = await run([...TREE, ...MACHINE, '--out', 'runs']);
    expect(code).toBe(1);
    const words = out.replaceAll(/\s+/g, ' ');
    expect(words).toMatch(/minimal: all cheaper runs of this scenario were looked at/);
    expect(words).not.toContain('not proved minimal');
    expect(words).toMatch(/with less than there: .*instructions? in flight/);
    for (const [path, text] of written) {
      const again = await run(['replay', path], { [path]: text });
      expect([again.code, again.err]).toEqual([1, '']);
    }
    expect(written.size).toBeGreaterThan(0);
  });

  test('of v5.8 as well', async () => {
    const wrong = (path: string): string | null => {
      const text = readSmallLegacy(path);
      // Nothing is made unwritable before the flush of the VM.
      return path === MMU ? (text?.replace('& ~WRITABLE)', ')') ?? null) : text;
    };
    const name = 'dirty logging begins for a slot with a page and a block';
    const { code, out } = await tlbgateReading(
      ['tree', '--tree', 'tree', '--scenario', name, '--feature', 'vhe=on', '--feature', 'fwb=on'],
      (path) => (path.startsWith('tree/') ? wrong(path.slice('tree/'.length)) : null),
    );
    expect(code).toBe(1);
    const words = out.replaceAll(/\s+/g, ' ');
    expect(words).toContain('XX permissions-after-return');
    expect(words).toMatch(/minimal: all cheaper runs of this scenario were looked at/);
    expect(words).toMatch(/with less than there: .*instructions? in flight/);
  });

  test('has bounds of which none is needed less, and says when a proof was given up', () => {
    const edit = { file: TLB, what: LAST_DSB, by: '$1' };
    const tree = opened({ read: readSmallPgtable }, [edit], [FILE]);
    const [scenario] = tree.scenarios;
    if (scenario === undefined) throw new Error('no scenario');
    const subject = kernelSubject(tree, scenario, []);
    const whole = { ...scenario.situation, features: { ...DEFAULT_FEATURES, fwb: true } };
    const limits = { states: 100_000 };
    const narrow = narrowestScenario(whole, subject, noAccessAfterReturn, limits);
    expect(narrow.guest).toEqual({ kind: 'trace', vcpus: [[{ access: 'read', page: 0 }]] });
    expect(narrow.window).toBeLessThan(whole.window);
    const of = (window: number): boolean =>
      breaks({ ...narrow, window }, subject, noAccessAfterReturn, limits);
    expect([narrow.window - 1, narrow.window, narrow.window + 1].map(of)).toEqual([
      false,
      true,
      true,
    ]);
    const found = cheapestRun(narrow, subject, noAccessAfterReturn, limits);
    expect(found).toMatchObject({ minimal: true, givenUp: null });
    const tried = cheapestRun(narrow, subject, noAccessAfterReturn, limits, { states: 5 });
    expect(tried).toMatchObject({ minimal: false, operations: null });
    expect(tried?.givenUp).toBeGreaterThan(5);
  });
});
