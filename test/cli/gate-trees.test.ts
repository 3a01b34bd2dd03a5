import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  readerOf,
  needing,
  type Tree,
  tree58,
  tree612,
  treeOf,
} from '../frontend/kernel-c/trees.ts';
import { type Ran, tlbgateReading } from './run.ts';
import { patchOf } from './small-patch.ts';

const SEED = process.env['TLBGATE_SEED'] ?? '../shared/seed/343304b125a2bcfd.txt';
const MMU = 'arch/arm64/kvm/mmu.c';

/** Runs a command on a real tree; `text` is the patch. */
function onTree(tree: Tree, text: string, args: readonly string[]): Promise<Ran> {
  const root = tree.root ?? '';
  const read = readerOf(root);
  return tlbgateReading(['patch', 'p.patch', '--tree', root, ...args], (path) =>
    path === 'p.patch'
      ? text
      : path.startsWith(`${root}/`)
        ? read(path.slice(root.length + 1))
        : null,
  );
}

/** The steps of a run that say where they are or who does them, in order. */
function steps(report: string): readonly string[] {
  const table = report.slice(report.indexOf(' step |'), report.indexOf(' at step '));
  return [...table.matchAll(/mmu\.c:\d+|speculative fill|write 1 to|DC CIVAC \w+/g)].map(([text]) =>
    text.trim(),
  );
}

/** The lines of the source that a report points to. */
function sourceLines(report: string): readonly string[] {
  return [...report.matchAll(/^(\d+) \| {5}/gm)].map(([, line = '']) => line);
}

interface SeedJson {
  readonly verdict: string;
  readonly runs: readonly {
    readonly features: Readonly<Record<string, string>>;
    readonly side: string;
    readonly rule: string;
    readonly verdict: string;
    readonly source: readonly { readonly file: string; readonly line: number }[];
  }[];
  readonly coverage: unknown;
  readonly patch: readonly {
    readonly base: { readonly kind: string };
    readonly hunks: readonly { readonly offset?: number }[];
  }[];
}

describe('the mailed seed on v5.8', { timeout: 600_000 }, () => {
  const ready = tree58.root !== null && existsSync(SEED);

  test.skipIf(!ready)(
    `${needing(tree58, 'refuted exactly without FWB, all of it executed')}`,
    async () => {
      const { code, out } = await onTree(tree58, readFileSync(SEED, 'utf8'), ['--json']);
      const found = JSON.parse(out) as SeedJson;
      expect([code, found.verdict]).toEqual([1, 'refuted']);
      expect(found.patch.map(({ base }) => base.kind)).toEqual(['exact', 'exact', 'exact']);
      expect(found.patch.flatMap(({ hunks }) => hunks.map(({ offset }) => offset))).toEqual(
        Array.from({ length: 7 }, () => 0),
      );
      // 17 lines in the new function of tlb.c, its caller and the call in mmu.c.
      expect(found.coverage).toMatchObject({ added: 19, executed: 19, missed: [], removed: 3 });
      const refuted = found.runs.filter(({ verdict }) => verdict === 'refuted');
      expect(new Set(refuted.map(({ side }) => side))).toEqual(new Set(['patched']));
      expect(new Set(refuted.map(({ rule }) => rule))).toEqual(new Set(['contents-after-return']));
      expect(new Set(refuted.map(({ features }) => features['fwb']))).toEqual(new Set(['off']));
      expect(new Set(refuted.map(({ features }) => features['vhe']))).toEqual(
        new Set(['off', 'on']),
      );
      expect(found.runs.filter(({ verdict }) => verdict === 'inconclusive')).toEqual([]);
      const lines = refuted[0]?.source.filter(({ file }) => file === MMU).map(({ line }) => line);
      expect(lines).toEqual(expect.arrayContaining([275, 279, 359]));
    },
  );

  test.skipIf(!ready)(
    `${needing(tree58, 'the run is the one that the TypeScript candidate has')}`,
    async () => {
      const { out } = await onTree(tree58, readFileSync(SEED, 'utf8'), ['--scenario', 'MMU off']);
      const candidate = readFileSync('test/report/seed.report.txt', 'utf8');
      expect(sourceLines(out)).toEqual(sourceLines(candidate));
      expect(sourceLines(out)).toEqual(['275', '279', '359']);
      expect(steps(out)).toEqual(steps(candidate));
      expect(steps(out)).toEqual([
        'mmu.c:275',
        'mmu.c:279',
        'DC CIVAC 0x80000000',
        'speculative fill',
        'write 1 to',
        'mmu.c:359',
      ]);
      expect(out).toMatch(/279 \| {5}kvm_flush_dcache_pte\(old_pte\);/);
      expect(out).toMatch(/ {5}270 - kvm_tlb_flush_vmid_ipa\(kvm, addr\);/);
    },
  );
});

describe('an edit of 6.12', { timeout: 300_000 }, () => {
  const FILE = 'arch/arm64/kvm/hyp/vhe/tlb.c';
  const BETWEEN = '\tdsb(ish);\n\t__tlbi(vmalle1is);';

  test.skipIf(tree612.root === null)(
    `${needing(tree612, 'without the DSB between the stages')}`,
    async () => {
      const before = tree612.read(FILE) ?? '';
      const at = before.indexOf(BETWEEN, before.indexOf('void __kvm_tlb_flush_vmid_ipa('));
      const after = before.slice(0, at) + before.slice(at).replace('\tdsb(ish);\n', '');
      const text = patchOf({ [FILE]: before }, { [FILE]: after });
      const args = [
        '--feature',
        'vhe=on',
        '--feature',
        'tlbi-range=off',
        '--scenario',
        'unmap one page',
      ];
      const { code, out } = await onTree(tree612, text, args);
      expect(code).toBe(1);
      expect(out).toContain('XX no-access-after-return');
      expect(out.replaceAll(/\s+/g, ' ')).toContain('1 of 1 removed lines ran before');
    },
  );
});

describe(
  'a patch to 6.8, where one scenario stops with and without it',
  { timeout: 300_000 },
  () => {
    const tree68 = treeOf('6.8');
    const TLB = 'arch/arm64/kvm/hyp/vhe/tlb.c';
    const MACHINE = ['vhe=on', 'fwb=on', 'tlbi-range=off', 'ttl=off'].flatMap((word) => [
      '--feature',
      word,
    ]);
    const text = tree68.read(TLB) ?? '';

    test.skipIf(tree68.root === null)(
      `${needing(tree68, 'is refuted for the DSB that it drops, by a minimal run')}`,
      async () => {
        const after = text.replace(
          /(void __kvm_tlb_flush_vmid_ipa\([^]*?__tlbi\(vmalle1is\);\n)\tdsb\(ish\);\n/,
          '$1',
        );
        const diff = patchOf({ [TLB]: text }, { [TLB]: after });
        const { code, out } = await onTree(tree68, diff, [...MACHINE, '--scenario', 'takes away']);
        expect(code).toBe(1);
        const words = out.replaceAll(/\s+/g, ' ');
        expect(words).toContain(
          'XX no-access-after-return verified -> refuted: broken by the patch',
        );
        expect(words).toContain('level is read before it has a value');
        expect(words).toContain('without the patch as well, so it is not decided');
        expect(words).toContain('contents-after-return inconclusive: not decided, before as well');
        expect(words).toContain('minimal: all cheaper runs of this scenario were looked at');
      },
    );
  },
);
