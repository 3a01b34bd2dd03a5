import { describe, expect, test } from 'vitest';
import { edited, type Files, inputs, patchOf, SMALL_TREE } from './small-patch.ts';
import { type Ran, tlbgate } from './run.ts';

const MMU = 'arch/arm64/kvm/mmu.c';
const TLB = 'arch/arm64/kvm/hyp/tlb.c';
const SMALL_H = 'arch/arm64/include/asm/small.h';

const FLUSH = '\tflush_ops.one(kvm, ipa);\n\tclean_page(old & OUTPUT, 1UL << shift);\n';
const LATE = '\tclean_page(old & OUTPUT, 1UL << shift);\n\tflush_ops.one(kvm, ipa);\n';

/** The flush after the cache maintenance: wrong without FWB. */
const LATE_TREE = edited(SMALL_TREE, MMU, FLUSH, LATE);

interface GateJson {
  readonly format: number;
  readonly verdict: string;
  readonly runs: readonly {
    readonly scenario: string;
    readonly features: Readonly<Record<string, string>>;
    readonly side: string;
    readonly rule: string;
    readonly verdict: string;
    readonly change?: string;
    readonly source: readonly { readonly file: string; readonly line: number }[];
  }[];
  readonly coverage: {
    readonly added: number;
    readonly executed: number;
    readonly removed: number;
    readonly missed: readonly {
      readonly file: string;
      readonly line: number;
      readonly side: string;
      readonly why: string;
    }[];
  };
  readonly cost: { readonly scenarios: readonly unknown[] };
  readonly assumed: readonly { readonly kind: string; readonly name: string }[];
}

/** One scenario, one machine: quick, and enough to see what the commands say. */
const ONE = ['--feature', 'vhe=on', '--feature', 'fwb=off', '--scenario', 'its MMU off'];

/** Runs `patch` on a small tree with the patch between two versions of it. */
function patch(before: Files, after: Files, args: readonly string[] = ONE): Promise<Ran> {
  return tlbgate(
    ['patch', 'p.patch', '--tree', 'tree', ...args],
    inputs(before, patchOf(before, after)),
  );
}

async function json(before: Files, after: Files, args = ONE): Promise<GateJson & { code: number }> {
  const { code, out, err } = await patch(before, after, [...args, '--json']);
  if (out === '') throw new Error(err);
  return { ...(JSON.parse(out) as GateJson), code };
}

describe('tlbgate patch', () => {
  test('a patch that breaks a rule is refuted, with the lines and the hunk that moved them', async () => {
    const { code, out } = await patch(SMALL_TREE, LATE_TREE);
    expect(code).toBe(1);
    expect(out).toContain('XX contents-after-return');
    expect(out.replaceAll(/\s+/g, ' ')).toContain('verified -> refuted: broken by the patch');
    expect(out).toContain(`  --> ${MMU}:29  in unmap_leaf()`);
    expect(out).toMatch(/^29 \| +clean_page\(old & OUTPUT, 1UL << shift\);$/m);
    expect(out).toContain(` moved by hunk 1 of ${MMU}`);
    expect(out).toMatch(/30 \+ flush_ops\.one\(kvm, ipa\); {3}<- in the run/);
    expect(out).toContain('minimal: all cheaper runs');
    expect(out).toContain('2 of 2 added lines with code were executed');
    expect(out).toMatch(/verdict {3}refuted {5}exit 1\n$/);
  });

  test('a patch from standard input', async () => {
    const text = patchOf(SMALL_TREE, LATE_TREE);
    const files = { ...inputs(SMALL_TREE, ''), '-': text };
    const args = ['--tree', 'tree', ...ONE];
    expect((await tlbgate(['patch', '-', ...args], files)).code).toBe(1);
    const damaged = await tlbgate(['patch', '-', ...args], { ...files, '-': 'no diff' });
    expect(damaged).toMatchObject({
      code: 2,
      err: 'error: standard input holds no diff: it must be a patch, a mail or an mbox.\n',
    });
    const kept = await tlbgate(['patch', '-', ...args, '--out', 'runs'], files);
    expect(kept).toMatchObject({ code: 2, out: '' });
    expect(kept.err).toContain('give its path instead of -');
    expect(kept.written.size).toBe(0);
  });

  test('one object for scripts', async () => {
    const found = await json(SMALL_TREE, LATE_TREE);
    expect(found).toMatchObject({ format: 1, verdict: 'refuted', code: 1 });
    const of = (side: string): string | undefined =>
      found.runs.find((run) => run.side === side && run.rule === 'contents-after-return')?.verdict;
    expect([of('base'), of('patched')]).toEqual(['verified', 'refuted']);
    const broken = found.runs.find(({ verdict }) => verdict === 'refuted');
    expect(broken).toMatchObject({ change: 'broken-by-the-patch', features: { fwb: 'off' } });
    expect(broken?.source).toContainEqual({ file: MMU, line: 29 });
    expect(found.coverage).toMatchObject({ added: 2, executed: 2, missed: [] });
    expect(found.cost.scenarios).toHaveLength(1);
    expect(found.assumed.map(({ name }) => name)).toContain('ARM64_HAS_STAGE2_FWB');
  });

  test('the run can be kept, and is repeated from tree and patch', async () => {
    const files = inputs(SMALL_TREE, patchOf(SMALL_TREE, LATE_TREE));
    const args = ['patch', 'p.patch', '--tree', 'tree', ...ONE, '--out', 'runs'];
    const { code, out, written } = await tlbgate(args, files);
    expect(code).toBe(1);
    const [path, text] = [...written][0] ?? ['', ''];
    expect(out).toContain(` replay    tlbgate replay ${path}`);
    const again = await tlbgate(['replay', path], { ...files, [path]: text });
    expect(again.code).toBe(1);
    expect(again.out).toContain('refuted   contents-after-return');
    const other = await tlbgate(['replay', path], {
      ...inputs(SMALL_TREE, patchOf(SMALL_TREE, SMALL_TREE)),
      [path]: text,
    });
    expect(other.code).toBe(2);
    expect(other.err.trim().split('\n')).toHaveLength(1);
    const damaged = text.replace('"tree":"tree"', '"tree":1');
    expect((await tlbgate(['replay', path], { ...files, [path]: damaged })).err).toContain(
      '"kernel" in runs/',
    );
  });

  test('the same patch is verified where FWB makes the maintenance unnecessary', async () => {
    const args = ['--feature', 'vhe=on', '--feature', 'fwb=on', '--scenario', 'MMU off'];
    expect(await json(SMALL_TREE, LATE_TREE, args)).toMatchObject({ verdict: 'verified', code: 0 });
  });

  test('what was broken is fixed, and what stays broken is no fault of the patch', async () => {
    const fixed = await patch(LATE_TREE, SMALL_TREE);
    expect(fixed.code).toBe(0);
    expect(fixed.out.replaceAll(/\s+/g, ' ')).toContain('refuted -> verified: fixed by the patch');
    const harmless = edited(LATE_TREE, TLB, '\tdsb(ishst);\n', '\tdsb(ishst);\n\tdsb(ishst);\n');
    const still = await patch(LATE_TREE, harmless);
    expect(still.code).toBe(1);
    expect(still.out).toContain('refuted: broken before as well');
    expect(still.out).toContain('refuted, but not by the patch');
  });

  test('a step that is only taken away is seen', async () => {
    const without = edited(SMALL_TREE, MMU, '\tflush_ops.one(kvm, ipa);\n\tclean', '\tclean');
    const found = await json(SMALL_TREE, without);
    expect(found).toMatchObject({ verdict: 'refuted', coverage: { added: 0, removed: 1 } });
  });

  test('an entry of an ops table is code', async () => {
    const nothing = edited(
      SMALL_TREE,
      MMU,
      'static const struct flush_ops flush_ops = {\n\t.one = flush_one,',
      'static void nothing(struct kvm *kvm, phys_addr_t ipa)\n{\n}\n\nstatic const struct flush_ops flush_ops = {\n\t.one = nothing,',
    );
    const found = await json(SMALL_TREE, nothing);
    expect(found).toMatchObject({ verdict: 'refuted', coverage: { added: 1, executed: 1 } });
  });

  test('a macro of a header is executed where it is used', async () => {
    const local = edited(SMALL_TREE, SMALL_H, '"tlbi " #op ", %0\\n"', '"tlbi ipas2e1, %0\\n"');
    expect(await json(SMALL_TREE, local)).toMatchObject({
      verdict: 'refuted',
      coverage: { added: 1, executed: 1 },
    });
  });
});

describe('a changed line that nothing executed makes it incomplete', () => {
  const HEAD = '\tWRITE_ONCE(*slot, 0);\n\tflush';
  const cases: readonly (readonly [string, Files, RegExp])[] = [
    [
      'a branch that is never taken',
      edited(
        SMALL_TREE,
        MMU,
        HEAD,
        '\tWRITE_ONCE(*slot, 0);\n\tif (old & (1UL << 55))\n\t\treturn;\n\tflush',
      ),
      /mmu\.c:29: a condition on it goes one way in every run[^]*mmu\.c:30: no scenario that was run comes here/,
    ],
    [
      'a part of a condition that is never asked',
      edited(
        SMALL_TREE,
        MMU,
        '\tif (!cpus_have_const_cap(ARM64_HAS_STAGE2_FWB))\n',
        '\tif (!cpus_have_const_cap(ARM64_HAS_STAGE2_FWB) || page == 0)\n',
      ),
      /mmu\.c:20: a condition on it goes one way in every run/,
    ],
    [
      'code that the configuration leaves out',
      edited(
        SMALL_TREE,
        MMU,
        HEAD,
        '\tWRITE_ONCE(*slot, 0);\n\tisb();\n#ifdef CONFIG_ARM64_OTHER\n\tisb();\n#endif\n\tflush',
      ),
      /mmu\.c:31: the configuration leaves it out/,
    ],
    [
      'a macro that nothing uses',
      edited(
        edited(SMALL_TREE, SMALL_H, '#define isb()', '#define twice() isb(); isb()\n#define isb()'),
        MMU,
        HEAD,
        '\tWRITE_ONCE(*slot, 0);\n\tisb();\n\tflush',
      ),
      /small\.h:\d+: the macro is used nowhere/,
    ],
    [
      'a function that is not called in any scenario',
      edited(
        edited(
          SMALL_TREE,
          TLB,
          'void flush_ipa',
          'void flush_all(void)\n{\n\tdsb(ish);\n}\n\nvoid flush_ipa',
        ),
        MMU,
        HEAD,
        '\tWRITE_ONCE(*slot, 0);\n\tisb();\n\tflush',
      ),
      /tlb\.c:5: no scenario that was run comes here in flush_all\(\)/,
    ],
  ];
  test.each(cases)('%s', async (_name, after, sentence) => {
    const { code, out } = await patch(SMALL_TREE, after);
    expect(out.replaceAll(/\s+/g, ' ')).toMatch(sentence);
    expect(out).toMatch(/verdict {3}incomplete: no scenario executed every changed line/);
    expect(code).toBe(3);
  });

  test('unchanged lines that a condition of the preprocessor now lets in', async () => {
    const before = edited(
      SMALL_TREE,
      MMU,
      HEAD,
      '\tWRITE_ONCE(*slot, 0);\n#ifdef LATER\n\tif (old & (1UL << 55))\n\t\treturn;\n#endif\n\tisb();\n\tflush',
    );
    const harmless = edited(before, TLB, '\tdsb(ishst);\n', '\tdsb(ishst);\n\tdsb(ishst);\n');
    const after = edited(harmless, MMU, '#ifdef LATER', '#ifndef LATER');
    const { coverage, verdict } = await json(before, after);
    expect(verdict).toBe('incomplete');
    expect(coverage.missed.map(({ file, line }) => `${file}:${line}`)).toEqual([`${MMU}:31`]);
    expect((await json(before, harmless)).verdict).toBe('verified');
    // The condition alone: the walk is run because of what it lets in.
    const alone = await json(before, edited(before, MMU, '#ifdef LATER', '#ifndef LATER'));
    expect(alone.runs.length).toBeGreaterThan(0);
    expect(alone.coverage.missed.map(({ line }) => line)).toEqual([31]);
  });

  test('what is no part of the kernel is not asked for', async () => {
    const after = {
      ...edited(SMALL_TREE, MMU, HEAD, '\tWRITE_ONCE(*slot, 0);\n\tisb();\n\tflush'),
      'Documentation/mm.rst': 'Words.\n',
      'tools/testing/selftests/kvm/own.c': 'int x;\n',
    };
    expect(await json(SMALL_TREE, after)).toMatchObject({ verdict: 'verified', code: 0 });
  });

  test('a change in code of a host at EL1 only', async () => {
    const file = 'arch/arm64/kvm/hyp/tlb.c';
    const after = edited(
      SMALL_TREE,
      file,
      '\tdsb(ishst);\n',
      '\tdsb(ishst);\n\tif (!has_vhe())\n\t\tisb();\n',
    );
    const withHas = edited(after, SMALL_H, 'void put_page', 'int has_vhe(void);\nvoid put_page');
    const base = edited(SMALL_TREE, SMALL_H, 'void put_page', 'int has_vhe(void);\nvoid put_page');
    const args = ['--feature', 'fwb=on', '--scenario', 'its MMU off'];
    expect(await json(base, withHas, args)).toMatchObject({ verdict: 'verified', code: 0 });
    const only = await json(base, withHas);
    expect(only).toMatchObject({ verdict: 'incomplete', code: 3 });
  });

  test('lines without code are not asked for', async () => {
    const after = edited(
      SMALL_TREE,
      MMU,
      HEAD,
      `\tu64 unused;

	/* a comment
	 * of two lines */
	{
		WRITE_ONCE(*slot,
			   0);
	}
	// another
	flush`,
    );
    const { coverage, verdict } = await json(SMALL_TREE, after);
    expect(verdict).toBe('verified');
    expect(coverage).toMatchObject({ added: 2, executed: 2, missed: [] });
  });

  test('a patch of something that no scenario comes to', async () => {
    const after = edited(
      SMALL_TREE,
      TLB,
      'void flush_ipa',
      'void flush_all(void)\n{\n\tdsb(ish);\n}\n\nvoid flush_ipa',
    );
    const { code, out } = await patch(SMALL_TREE, after);
    expect(code).toBe(3);
    expect(out).toContain(
      'incomplete: no scenario of this profile can come to what the patch changes',
    );
    const other = { ...SMALL_TREE, 'Documentation/mm.rst': 'Words.\n' };
    expect((await patch(SMALL_TREE, other)).code).toBe(3);
    const driver = { ...SMALL_TREE, 'drivers/own.c': 'int x;\n' };
    expect((await patch(SMALL_TREE, driver)).out).toContain(
      'no unit that was loaded reads this file',
    );
  });
});

describe('lines outside of functions', () => {
  const HEAD = '\tWRITE_ONCE(*slot, 0);\n\tflush';
  const ENUM = 'enum { MAINTAIN = 1, LATER = 1 };\n\nstruct flush_ops {';
  const USED = edited(
    edited(SMALL_TREE, MMU, 'struct flush_ops {', ENUM),
    MMU,
    'if (!cpus_have_const_cap',
    'if (MAINTAIN && !cpus_have_const_cap',
  );
  const UNUSED = edited(
    USED,
    MMU,
    'static void clean_page',
    'int flush_later(void)\n{\n\treturn LATER;\n}\n\nstatic void clean_page',
  );

  test('comments alone are shown to change no code', async () => {
    const after = edited(SMALL_TREE, MMU, HEAD, '\tWRITE_ONCE(*slot, 0);\n\t/* why */\n\tflush');
    const { code, out } = await patch(SMALL_TREE, after);
    expect(code).toBe(0);
    expect(out.replaceAll(/\s+/g, ' ')).toContain('is compiled to other code because of');
    expect(out).toContain('verified: the patch changes no code');
  });

  test('an enumerator is looked at in the code that it changes', async () => {
    const after = edited(USED, MMU, 'MAINTAIN = 1', 'MAINTAIN = 0');
    const { code, out } = await patch(USED, after);
    expect(code).toBe(1);
    expect(out).toContain('XX contents-after-return');
    expect(out.replaceAll(/\s+/g, ' ')).toContain('changes 1: clean_page');
  });

  test('the number of its own line is a place, not code that has changed', async () => {
    const noted = edited(
      UNUSED,
      MMU,
      'return LATER;',
      '#define note_place(line) (line)\n\treturn note_place(__LINE__);',
    );
    const after = edited(noted, MMU, ENUM, `struct further;\n\n${ENUM}`);
    const { code, out } = await patch(noted, after);
    expect(out).toContain('verified: the patch changes no code');
    expect(code).toBe(0);
    // What is made of it may differ, and is no place.
    const other = edited(after, MMU, 'note_place(__LINE__)', 'note_place(7)');
    expect((await patch(after, other)).code).toBe(3);
  });

  test('code that it changes and that nothing executed makes it incomplete', async () => {
    const after = edited(UNUSED, MMU, 'LATER = 1', 'LATER = 2');
    const { code, out } = await patch(UNUSED, after);
    expect(code).toBe(3);
    expect(out.replaceAll(/\s+/g, ' ')).toContain('changes flush_later, and no scenario');
    // Beside a line that is executed it is no less unknown.
    const both = edited(after, TLB, '\tdsb(ishst);\n', '\tdsb(ishst);\n\tdsb(ishst);\n');
    const { verdict, coverage } = await json(UNUSED, both);
    expect(verdict).toBe('incomplete');
    expect(coverage.missed.map(({ why }) => why)).toEqual([
      'what the patch declares changes flush_later, and no scenario that was run comes there',
    ]);
  });

  test('a member more changes the table that has it, which is read', async () => {
    const member = '(*one)(struct kvm *kvm, phys_addr_t ipa);\n';
    const after = edited(SMALL_TREE, MMU, member, `${member}\tvoid (*all)(void);\n`);
    const { code, out } = await patch(SMALL_TREE, after);
    expect(out.replaceAll(/\s+/g, ' ')).toContain('changes 1: flush_ops');
    expect(code).toBe(0);
  });
});

describe('what stops', () => {
  test('a construct at the very beginning is named as well', async () => {
    const after = edited(
      SMALL_TREE,
      MMU,
      '{\n\tunmap_table(kvm, kvm->arch.pgd, 30,',
      '{\n\tdsb(ish);\n\tunknown_at_once = 1;\n\tunmap_table(kvm, kvm->arch.pgd, 30,',
    );
    const first = edited(
      after,
      SMALL_H,
      '#define spin_lock(lock) ',
      '#define spin_lock(lock) unknown_at_once = 1; ',
    );
    for (const tree of [after, first]) {
      const { code, out } = await tlbgate(['tree', '--tree', 'tree', ...ONE], inputs(tree, ''));
      expect(code).toBe(3);
      expect(out.replaceAll(/\s+/g, ' ')).toContain('"unknown_at_once" is not declared');
    }
  });

  test('a budget that is spent is no verdict', async () => {
    const args = [...ONE, '--budget', '0.001'];
    const { code, out } = await patch(SMALL_TREE, LATE_TREE, args);
    expect(code).toBe(3);
    expect(out).not.toMatch(/^ {2}ok /m);
    const tree = ['tree', '--tree', 'tree', ...args];
    expect((await tlbgate(tree, inputs(SMALL_TREE, ''))).out).toMatch(/inconclusive .*exit 3\n$/);
  });

  test('a construct without a meaning is no verdict: it is named, and nothing passes', async () => {
    const after = edited(
      SMALL_TREE,
      MMU,
      '\tWRITE_ONCE(*slot, 0);\n\tflush',
      '\textern void some_function(void);\n\tWRITE_ONCE(*slot, 0);\n\tsome_function();\n\tflush',
    );
    const { code, out } = await patch(SMALL_TREE, after);
    expect(code).toBe(3);
    expect(out.replaceAll(/\s+/g, ' ')).toContain(`stopped ${MMU}:30: some_function() has no body`);
    expect(out).toMatch(/\?\? no-access-after-return/);
  });

  describe('a scenario that stops without the patch as well', () => {
    /** Something without a meaning where a table dissolves, below all lines that are changed here. */
    const STOPS = edited(
      SMALL_TREE,
      MMU,
      '\t\t\t\tfree_pages(',
      '\t\t\t\textern void some_function(void);\n\t\t\t\tsome_function();\n\t\t\t\tfree_pages(',
    );
    const TWO = [...ONE, '--scenario', 'that dissolves'];
    const words = (out: string): string => out.replaceAll(/\s+/g, ' ');

    test('is not the fault of a patch, and does not hide what else was verified', async () => {
      const call = '\tflush_ops.one(kvm, ipa);\n\tclean_page(';
      const after = edited(STOPS, MMU, call, `\tipa += 0;\n${call}`);
      const { code, out } = await patch(STOPS, after, TWO);
      expect(code).toBe(3);
      expect(words(out)).toContain(
        '?? contents-after-return inconclusive: not decided, before as well; verified in 1 of 2 scenarios',
      );
      expect(words(out)).toContain(`stopped ${MMU}:53: some_function() has no body`);
      expect(words(out)).toContain(
        'in "two pages of one table that dissolves" on every machine; without the patch as well',
      );
      expect(words(out)).toContain(
        'open something is open in 1 of 2 scenarios, with the patch as without it; the others are verified within bounds',
      );
      expect(out).toMatch(/^ {3}ok one page of a table that stays/m);
      expect(out).toMatch(/^ {3}\?\? two pages of one table that dissolves: not decided on every/m);
      const found = await json(STOPS, after, TWO);
      const changes = found.runs.flatMap(({ change }) => change ?? []);
      expect(new Set(changes)).toEqual(new Set(['holds', 'not-decided-before-as-well']));
    });

    test('does not keep a patch from being refuted', async () => {
      const after = edited(STOPS, MMU, FLUSH, LATE);
      const { code, out } = await patch(STOPS, after, TWO);
      expect(code).toBe(1);
      expect(words(out)).toContain(
        'XX contents-after-return verified -> refuted: broken by the patch',
      );
      expect(out).toMatch(/verdict {3}refuted {5}exit 1\n$/);
    });

    test('is another matter where only the patch makes it stop', async () => {
      const { code, out } = await patch(SMALL_TREE, STOPS, TWO);
      expect(code).toBe(3);
      expect(words(out)).toContain('verified -> inconclusive: not decided; verified in 1 of 2');
      expect(words(out)).toContain('on every machine; only with the patch');
    });

    test('nor is one that stops elsewhere with the patch', async () => {
      const after = edited(STOPS, MMU, '\tsome_function();', '\tbarrier_of_ours();');
      const { out } = await patch(STOPS, after, TWO);
      expect(words(out)).toContain('contents-after-return inconclusive: not decided; verified in');
      expect(words(out)).toContain('and not all of that was open before the patch');
      expect(words(out)).toContain('on every machine; only without the patch');
    });
  });

  const bad: readonly (readonly [string, Files, string, RegExp])[] = [
    [
      'a hunk that does not apply',
      SMALL_TREE,
      patchOf(SMALL_TREE, LATE_TREE).replace('READ_ONCE', 'read_once'),
      /p\.patch: the patch does not apply: hunk 1 of arch\/arm64\/kvm\/mmu\.c \(line 3 of the patch\): line \d+ is/,
    ],
    [
      'a damaged hunk',
      SMALL_TREE,
      patchOf(SMALL_TREE, LATE_TREE).split('\n').slice(0, 6).join('\n'),
      /do not add up to its counts/,
    ],
    [
      'a diff that ends before its first hunk',
      SMALL_TREE,
      patchOf(SMALL_TREE, LATE_TREE).split('\n@@')[0] ?? '',
      /p\.patch:\d+: the diff of arch\/arm64\/kvm\/mmu\.c ends before its first hunk: the patch is cut off/,
    ],
    [
      'a diff of git that ends behind its index line',
      SMALL_TREE,
      'diff --git a/arch/arm64/kvm/mmu.c b/arch/arm64/kvm/mmu.c\nindex 4913749..4d0e345 100644\n--- a/arch',
      /ends before its first hunk/,
    ],
    ['a text without a diff', SMALL_TREE, 'Dear all,\n', /holds no diff/],
    [
      'a file that the tree does not have',
      SMALL_TREE,
      patchOf(SMALL_TREE, LATE_TREE).replaceAll('mmu.c', 'other.c'),
      /the tree has no file arch\/arm64\/kvm\/other\.c/,
    ],
    [
      'assembly',
      SMALL_TREE,
      patchOf(SMALL_TREE, { ...SMALL_TREE, 'arch/arm64/mm/cache.S': 'ret\n' }),
      /changes arch\/arm64\/mm\/cache\.S, which is not C/,
    ],
    [
      'Kconfig',
      SMALL_TREE,
      patchOf(SMALL_TREE, { ...SMALL_TREE, 'arch/arm64/Kconfig': 'config X\n' }),
      /changes arch\/arm64\/Kconfig, which is not C/,
    ],
    [
      'a function whose meaning is ours',
      SMALL_TREE,
      patchOf(
        SMALL_TREE,
        edited(SMALL_TREE, SMALL_H, 'return READ_ONCE(page->count);', 'return 1;'),
      ),
      /the patch edits page_count, which is not run as it stands/,
    ],
    [
      'a patch that makes it no C',
      SMALL_TREE,
      patchOf(SMALL_TREE, edited(SMALL_TREE, MMU, 'struct flush_ops {', 'struct flush_ops (')),
      /arch\/arm64\/kvm\/mmu\.c:\d+: /,
    ],
    [
      'a folder that is no tree',
      {},
      patchOf(SMALL_TREE, LATE_TREE),
      /not the root of a kernel tree/,
    ],
    [
      'a kernel tree of no profile',
      { Makefile: 'VERSION = 2\n', ...SMALL_TREE, [MMU]: 'int x;\n' },
      patchOf(SMALL_TREE, edited(SMALL_TREE, TLB, 'dsb(ishst)', 'dsb(ish)')),
      /no profile fits this kernel tree; there are/,
    ],
  ];
  test.each(bad)('%s: one sentence, exit 2', async (_name, tree, text, sentence) => {
    const { code, out, err } = await tlbgate(
      ['patch', 'p.patch', '--tree', 'tree'],
      inputs(tree, text),
    );
    expect(err).toMatch(sentence);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect([code, out]).toEqual([2, '']);
  });

  test.each([
    [['patch', 'nowhere.patch', '--tree', 'tree'], /"nowhere.patch" cannot be read/],
    [['patch', 'p.patch'], /--tree/],
    [['tree', '--tree', 'nowhere'], /nowhere: this is not the root of a kernel tree/],
    [['tree', '--tree', 'tree', '--profile', 'kvm'], /there is no profile "kvm"/],
    [['tree', '--tree', 'tree', '--scenario', 'teapot'], /has "teapot" in its name/],
    [['tree', '--tree', 'tree', '--feature', 'fbw=on'], /There is no feature "fbw"/],
  ])('%s: exit 2', async (args, sentence) => {
    const { code, out, err } = await tlbgate(args, inputs(SMALL_TREE, ''));
    expect(err).toMatch(sentence);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect([code, out]).toEqual([2, '']);
  });

  test('a hunk elsewhere than it says applies with an offset, and that is said', async () => {
    const moved = edited(SMALL_TREE, MMU, '#define OUTPUT', '/* one\n * two\n */\n#define OUTPUT');
    const { code, out } = await tlbgate(
      ['patch', 'p.patch', '--tree', 'tree', ...ONE],
      inputs(moved, patchOf(SMALL_TREE, LATE_TREE)),
    );
    expect(code).toBe(1);
    expect(out).toContain('applies with offset 3');
    expect(out).toContain(`  --> ${MMU}:32  in unmap_leaf()`);
  });
});

describe('tlbgate tree', () => {
  test('the tree as it is', async () => {
    const { code, out } = await tlbgate(['tree', '--tree', 'tree', ...ONE], inputs(SMALL_TREE, ''));
    expect(code).toBe(0);
    expect(out).toContain('ok contents-after-return');
    expect(out).toMatch(/DSB ish 2, .*TLBI/);
    expect(out).toMatch(/verdict {3}verified within bounds {5}exit 0\n$/);
  });

  test('a tree that breaks a rule, and machines that the code does not ask for', async () => {
    const { code, out } = await tlbgate(
      ['tree', '--tree', 'tree', '--feature', 'vhe=on', '--scenario', 'nothing mapped', '--json'],
      inputs(LATE_TREE, ''),
    );
    expect(code).toBe(0);
    const found = JSON.parse(out) as GateJson;
    expect(new Set(found.runs.map(({ features }) => features['fwb']))).toEqual(
      new Set(['off', 'on']),
    );
    const broken = await tlbgate(['tree', '--tree', 'tree', ...ONE], inputs(LATE_TREE, ''));
    expect(broken.code).toBe(1);
    expect(broken.out).toMatch(/verdict {3}refuted {5}exit 1\n$/);
  });
});
