import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../../src/arm64/features.ts';
import { noUseOfFreedTable } from '../../../src/rules/no-use-of-freed-table.ts';
import type { ScenarioSource } from '../../../src/scenario/kernel/scenario-file.ts';
import { openTree } from '../../../src/scenario/kernel/open-tree.ts';
import { readSmallPgtable } from '../small-pgtable/tree.ts';
import { type Edit, opened, verdictOf } from './on-tree.ts';

const PGTABLE = 'arch/arm64/kvm/hyp/pgtable.c';
const TLB = 'arch/arm64/kvm/hyp/vhe/tlb.c';

/** A scenario file around the text of `host()`. */
function file(host: string, settings = '', setup = ''): ScenarioSource {
  const text = `/*
 * name: mine
 * why: a test
 * profile: kvm-pgtable
${settings} */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE);
	guest_page(IPA, PAGE);
${setup}}

void host(void)
{
${host}}
`;
  return { path: 'mine.c', text };
}

const UNMAP_TEXT = `	operation_begins("unmap");
	unmap_range(IPA, PAGE_SIZE);
	operation_returns("unmap", IPA, PAGE_SIZE);
	host_reads_page(PAGE);
	page_gets_new_owner(PAGE);
`;
/** The table of the page is freed. */
const UNMAP = file(UNMAP_TEXT);
/** The table of the page keeps another entry. */
const UNMAP_LEAF = file(
  UNMAP_TEXT,
  '',
  '\tmap(IPA + PMD_SIZE / 2, PAGE + PMD_SIZE, PAGE_SIZE, READ_WRITE);\n',
);

function verdict(
  source: ScenarioSource,
  edits: readonly Edit[] = [],
  change: Parameters<typeof verdictOf>[2] = {},
): string {
  return verdictOf(opened({ read: readSmallPgtable }, edits, [source]), 'mine', change);
}

/** The sentence with which a run stops, when it is built or later. */
function stopOf(source: ScenarioSource): string {
  try {
    return verdict(source);
  } catch (problem) {
    return problem instanceof Error ? problem.message : '';
  }
}

describe('a small page-table library under a scenario file', () => {
  test('is recognised, made by its own code, and safe on every machine', () => {
    const tree = opened({ read: readSmallPgtable }, [], [UNMAP]);
    expect(tree.profile).toBe('kvm-pgtable');
    for (const change of [
      {},
      { fwb: true },
      { vhe: false, e2h: false },
      { vhe: false, e2h: false, fwb: true },
    ]) {
      expect([change, verdictOf(tree, 'mine', change)]).toEqual([change, 'verified']);
    }
    expect(tree.kernels()).toHaveLength(2);
  });

  test('a table page that nobody has set aside stops the run, which would end there unnoticed', () => {
    const further = '\tmap(IPA + PMD_SIZE, PAGE + PMD_SIZE, PAGE_SIZE, READ_WRITE);\n';
    expect(stopOf(file(further))).toContain('the allocator has no page left: take it in setup()');
    expect(stopOf(file(further, '', '\tfill_cache(the_cache, 1);\n'))).toBe('verified');
    // A page that was given back may be had again.
    expect(stopOf(file(`\tunmap_range(IPA, PAGE_SIZE);\n${further}`))).toBe('verified');
  });

  test('wrong steps break the rule that they are known for', () => {
    const wrong: readonly (readonly [ScenarioSource, Edit, string])[] = [
      [
        UNMAP_LEAF,
        { file: TLB, what: /(tlbi\(vmalle1is\);\s*)dsb\(ish\);/, by: '$1' },
        'no-access-after-return',
      ],
      [UNMAP, { file: TLB, what: /ipas2e1is/, by: 'ipas2le1is' }, 'no-walk-of-freed-table'],
      [UNMAP, { file: TLB, what: /write_sysreg\(\(u64\)[^;]*;/, by: '' }, 'right-vmid'],
    ];
    for (const [source, edit, rule] of wrong) {
      expect(verdict(source, [edit], { fwb: true })).toBe(rule);
    }
    const clean: Edit = {
      file: PGTABLE,
      what: /(kvm_call_hyp\(flush_ipa[^;]*;)([^]*?ops->clean\(below, PAGE_SIZE\);)/,
      by: '$2$1',
    };
    expect(verdict(UNMAP, [clean])).toBe('contents-after-return');
    expect(verdict(UNMAP, [clean], { fwb: true })).toBe('verified');
  });

  test('a base tree gives its units to the tree with an edit elsewhere', () => {
    const base = opened({ read: readSmallPgtable }, [], [UNMAP_LEAF]);
    const edited = opened(
      { read: readSmallPgtable },
      [{ file: TLB, what: /dsb\(ishst\);/, by: '' }],
      [UNMAP_LEAF],
      base,
    );
    const [before, after] = [base, edited].map((tree) =>
      tree.kernels()[0]?.program.units.map(({ unit }) => unit),
    );
    expect(after?.[0]).toBe(before?.[0]);
    expect(after?.[1]).toBe(before?.[1]);
    expect(after?.[2]).not.toBe(before?.[2]);
    expect(verdictOf(edited, 'mine', { fwb: true })).toBe('no-access-after-return');
  });

  test('what a scenario file asks of machine and tree is seen to', () => {
    const tree = (settings: string): string => verdict(file('', settings));
    expect(tree(' * features: fwb=on\n')).toBe('impossible: it needs fwb=on');
    expect(tree(' * needs: no_such_function\n')).toBe('no such scenario');
    expect(tree(' * needs: kvm_unmap_gfn_range\n')).toBe('verified');
    expect(verdict(UNMAP, [], { granule: '64k' })).toContain('impossible: ');
  });

  test('mistakes in a scenario are one sentence with file and line', () => {
    const mistakes: readonly (readonly [ScenarioSource, string])[] = [
      [file('', '', '\toperation_begins("x");\n'), 'mine.c:13: this belongs into host()'],
      [file('', '', '\tno_such_function();\n'), 'mine.c:13: '],
      [file('', '', '\twrite_lock(&the_kvm->mmu_lock);\n'), 'setup() returns with a lock held'],
      [{ ...file(''), text: file('').text.replace(/\tguest_page.*\n/, '') }, 'names no page'],
    ];
    for (const [source, sentence] of mistakes) expect(verdict(source)).toContain(sentence);
    const broken = openTree(readSmallPgtable, new Map(), { files: [file('\tif (\n')] });
    expect(broken).toMatchObject({ kind: 'failed', diagnostic: { file: 'mine.c' } });
  });

  test('a second CPU of the host maps the page again: safe when it looks it up under the lock', () => {
    const setup =
      '\tfill_cache(other_cache, 3);\n\tbacking = shared_word(PAGE);\n\tguest_page(IPA, NEW);\n';
    const host = `\tWRITE_ONCE(*backing, NEW);\n\toperation_begins("unmap");
\tunmap_range(IPA, PAGE_SIZE);\n\toperation_returns("unmap", IPA, PAGE_SIZE);\n\tpage_gets_new_owner(PAGE);\n`;
    const lookUp = '\tpage = READ_ONCE(*backing);\n';
    const lock = '\tfault_lock(the_kvm);\n';
    const two = (first: string, second: string): ScenarioSource => {
      const { path, text } = file(host, ' * guest: write\n', setup);
      const before = 'static u64 *backing;\n#define NEW (PAGE + 0x10000)\n';
      const after = `void host1(void)
{
\tphys_addr_t page;

${first}${second}\tmap_fault(IPA, page, PAGE_SIZE, READ_WRITE, other_cache);
\tfault_unlock(the_kvm);
}
`;
      return { path, text: text.replace('void setup', `${before}void setup`) + after };
    };
    // The page must be gone before it is looked up, so the mapping of the second CPU is the only one.
    const empty = (source: ScenarioSource): ScenarioSource => ({
      ...source,
      text: source.text.replace('\tmap(IPA, PAGE, PAGE_SIZE, READ_WRITE);\n', ''),
    });
    expect(verdict(empty(two(lock, lookUp)))).toBe('verified');
    expect(verdict(empty(two(lookUp, lock)))).toBe('no-reuse-under-translation');
  });

  test('a check of the code that does not hold is a broken rule', () => {
    expect(verdict(file('\t__tlbgate_warn();\n'))).toBe('checks-hold');
    expect(verdict(file('\t__tlbgate_bug();\n'))).toBe('checks-hold');
    expect(verdict(file('', '', '\t__tlbgate_bug();\n'))).toContain('BUG_ON holds here (setup');
  });

  test('a table that is used after it was freed is a broken rule', () => {
    // The table of pages loses both its references before the walk goes down into it.
    const early: Edit = {
      file: PGTABLE,
      what: /if \(entry && shift > 12\)/,
      by: 'if (entry && shift == 21) { ops->put_page(below); ops->put_page(below); }\n\t\tif (entry && shift > 12)',
    };
    const noCount: Edit = { file: PGTABLE, what: /ops->page_count\(below\) == 1/, by: '0' };
    const tree = opened(
      { read: readSmallPgtable },
      [early, noCount],
      [file('\tunmap_range(IPA, PAGE_SIZE);\n')],
    );
    expect(verdictOf(tree, 'mine', {}, [noUseOfFreedTable])).toBe('no-use-of-freed-table');
    expect(verdictOf(tree, 'mine')).toBe('no-walk-of-freed-table');
  });

  test('objects of a file begin as zero, and two CPUs may not write what both see', () => {
    const counted = file('\tif (counter++) __tlbgate_bug();\n');
    const text = counted.text.replace('void setup', 'static int counter;\nvoid setup');
    expect(verdict({ ...counted, text })).toBe('verified');
    const both = file('\tthe_mmu->pgd_phys = 0;\n\tdsb(ish);\n');
    const second = `${both.text}void host1(void)\n{\n}\n`;
    expect(stopOf({ ...both, text: second })).toContain('the code has written tlbgate_kvm');
  });

  test('what host() says about pages and objects must be true', () => {
    const stops: readonly (readonly [string, string])[] = [
      ['\thost_reads_page(PAGE + PAGE_SIZE);\n', 'no page of the guest'],
      ['\toperation_begins((char *)PAGE);\n', 'as a string literal'],
      ['\tput_page(vmemmap);\n', 'no table page in use'],
      ['\twrite_unlock(&the_kvm->mmu_lock);\n', 'given back that is not held'],
      ['\tthe_mmu->pgd_phys = *(u64 *)the_pgt;\n\t*(u64 *)8 = 1;\n', 'neither in the linear map'],
      ['\tguest_page(IPA, PAGE);\n', 'guest_page() has no body'],
      ['\tREAD_ONCE(virt_to_page(the_pgt->pgd)->private);\n', 'nobody has written it'],
    ];
    for (const [host, sentence] of stops) {
      expect(stopOf(file(host))).toContain(sentence);
    }
  });

  test('the same verdicts when every word and count is an event', () => {
    const alike: readonly (readonly [ScenarioSource, readonly Edit[]])[] = [
      [UNMAP, []],
      [UNMAP_LEAF, []],
      [UNMAP_LEAF, [{ file: TLB, what: /dsb\(ishst\);/, by: '' }]],
      [UNMAP, [{ file: TLB, what: /ipas2e1is/, by: 'ipas2le1is' }]],
      [UNMAP_LEAF, [{ file: TLB, what: /isb\(\);\s*tlbi_at/, by: 'tlbi_at' }]],
    ];
    for (const [source, edits] of alike) {
      const events = { ...source, text: `${source.text}void host1(void)\n{\n}\n` };
      for (const change of [{}, { fwb: true }]) {
        expect(verdict(events, edits, change)).toBe(verdict(source, edits, change));
      }
    }
  });

  test('what was read of the environment is assumed', () => {
    const tree = opened({ read: readSmallPgtable }, [], [UNMAP]);
    expect(verdictOf(tree, 'mine')).toBe('verified');
    const words = tree.assumed().map(({ kind, name, value }) => `${kind} ${name} ${value}`);
    expect(words).toContain('register ID_AA64MMFR0_EL1 0x2');
    expect(words).toContain('capability ARM64_HAS_STAGE2_FWB absent');
    expect(words.filter((word) => word.includes('kvm_arm_vmid_bits'))).toEqual([]);
  });

  test('the scenario file of docs/kernel-c.md is one, and safe', () => {
    const page = readFileSync('docs/kernel-c.md', 'utf8');
    const text = /```c\n([^]*?)```/.exec(page)?.[1] ?? '';
    const tree = opened({ read: readSmallPgtable }, [], [{ path: 'docs.c', text }]);
    const [scenario] = tree.scenarios;
    expect(verdictOf(tree, scenario?.name ?? '')).toBe('verified');
  });

  test('the code under test counts as executed, the set-up does not', () => {
    const tree = opened({ read: readSmallPgtable }, [], [UNMAP]);
    const [scenario] = tree.scenarios;
    if (scenario === undefined) throw new Error('no scenario');
    const made = tree.prepare(scenario, DEFAULT_FEATURES);
    if (made.kind !== 'ready') throw new Error('not ready');
    const reached = tree.kernels()[0]?.program.reached ?? new Map<{ name: string }, unknown>();
    expect([...reached.keys()].map(({ name }) => name)).not.toContain('kvm_pgtable_stage2_map');
  });
});
