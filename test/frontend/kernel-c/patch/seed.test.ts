import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { applyPatch } from '../../../../src/frontend/kernel-c/patch/apply-patch.ts';
import { parsePatch } from '../../../../src/frontend/kernel-c/patch/parse-patch.ts';
import { needing, tree58 } from '../trees.ts';

const SEED = process.env['TLBGATE_SEED'] ?? '../shared/seed/343304b125a2bcfd.txt';
const ready = tree58.root !== null && existsSync(SEED);

test.skipIf(!ready)(
  `${needing(tree58, 'the mailed seed applies to v5.8: exact base, seven hunks, no offset')}`,
  () => {
    const applied = applyPatch(parsePatch(readFileSync(SEED, 'utf8')), tree58.read);
    expect(applied.applies).toBe(true);
    expect(applied.files.map((file) => [file.path, file.base.kind, file.hunks.length])).toEqual([
      ['arch/arm64/include/asm/kvm_asm.h', 'exact', 1],
      ['arch/arm64/kvm/hyp/tlb.c', 'exact', 1],
      ['arch/arm64/kvm/mmu.c', 'exact', 5],
    ]);
    for (const file of applied.files) {
      for (const hunk of file.hunks) expect(hunk).toMatchObject({ kind: 'applied', offset: 0 });
    }
  },
);
