import { expect, test } from 'vitest';
import { SMALL_STAGE1 } from '../scenario/small-stage1/tree.ts';
import { edited, type Files, inputs, patchOf, SMALL_TREE } from './small-patch.ts';
import { type Ran, tlbgate } from './run.ts';

const FLUSH = 'arch/arm64/include/asm/tlbflush.h';
const CONTPTE = 'arch/arm64/mm/contpte.c';

function patch(after: Files, args: readonly string[]): Promise<Ran> {
  return tlbgate(
    ['patch', 'p.patch', '--tree', 'tree', ...args],
    inputs(SMALL_STAGE1, patchOf(SMALL_STAGE1, after)),
  );
}

test('a patch to the flush of a page runs the scenarios that reach it, and is refuted', async () => {
  const after = edited(
    SMALL_STAGE1,
    FLUSH,
    'tlbi(vale1is, BY_VA(va, ASID(vma->vm_mm)));\n\tdsb(ish);',
    'tlbi(vale1is, BY_VA(va, ASID(vma->vm_mm)));',
  );
  const among = ['--scenario', 'another page', '--scenario', 'unmap a block'];
  const { code, out } = await patch(after, [...among, '--feature', 'ttl=off', '--json']);
  expect(code).toBe(1);
  expect(out).toContain('"profile":"stage1-flush"');
  expect(out).toMatch(/"rule":"break-before-make"[^}]*"change":"broken-by-the-patch"/);
  expect(out).not.toContain('stage 1: unmap a block');
});

test('a longer reach of the threshold is verified, with both sides of it executed', async () => {
  const after = edited(
    SMALL_STAGE1,
    FLUSH,
    '#define MAX_SINGLE PTRS_PER_PTE',
    '#define MAX_SINGLE (PTRS_PER_PTE / 2)',
  );
  const { code, out } = await patch(after, ['--scenario', 'both ends']);
  expect(out).toContain('verified: holds');
  expect(code).toBe(0);
});

test('a group that changes without a flush: the report names the line', async () => {
  const after = edited(
    SMALL_STAGE1,
    CONTPTE,
    '\t__flush_tlb_range(&vma, start, start + CONT_PTE_SIZE, PAGE_SIZE, true, 3);\n',
    '\tflush_tlb_page(&vma, start);\n',
  );
  const { code, out } = await patch(after, [
    '--scenario',
    'fold sixteen',
    '--feature',
    'ttl=off',
    '--feature',
    'tlbi-range=off',
  ]);
  expect(code).toBe(1);
  expect(out).toContain('differ in contiguous');
  expect(out).toContain('contpte.c');
  expect(out).toContain('maps its pages Normal Write-Back');
});

test('a tree that another profile fits as well says so, and how to ask for it', async () => {
  const tree = inputs({ ...SMALL_STAGE1, ...SMALL_TREE }, '');
  const machine = ['--feature', 'vhe=on', '--feature', 'fwb=on', '--scenario', 'its MMU off'];
  const args = ['tree', '--tree', 'tree', ...machine];
  const { code, out } = await tlbgate(args, tree);
  expect(code).toBe(0);
  const words = out.replaceAll(/\s+/g, ' ');
  expect(words).toContain('not run stage1-flush (stage 1 of processes');
  expect(words).toContain('--profile kvm-s2-legacy+stage1-flush runs both');
  expect((await tlbgate([...args, '--json'], tree)).out).toContain('"notRun":["stage1-flush"]');
  const chosen = await tlbgate([...args, '--profile', 'kvm-s2-legacy'], tree);
  expect(chosen.out).not.toContain('not run');
});
