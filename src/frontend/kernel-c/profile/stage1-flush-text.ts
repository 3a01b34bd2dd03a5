import type { ReadFile } from '../read-file.ts';

/** The function of the profile's text that makes the process. */
export const MAKE_PROCESS = 'tlbgate_make_process';

/**
 * C text before the scenarios, at the end of the first unit: a process with an address space of its own,
 * and what a scenario may call. Tables are made and changed by the tree's own functions.
 */
export function stage1Text(read: ReadFile): string {
  const names = folioNames(read);
  const hasTasks = read('include/linux/sched.h') !== null;
  return `
${hasTasks ? '#include <linux/sched.h>\n' : ''}#include <linux/mm.h>
#include <asm/pgalloc.h>
#include <asm/tlb.h>

/* What setup() says about the process: its threads may use this page at this VA. */
extern void guest_page(phys_addr_t va, phys_addr_t page);
#define user_page(va, page) guest_page(va, page)
/* What host() says about itself. */
extern void operation_begins(const char *name);
extern void operation_returns(const char *name, phys_addr_t va, u64 size);
extern void operation_returns_readonly(const char *name, phys_addr_t va, u64 size);
extern void host_reads_page(phys_addr_t page);
extern void page_gets_new_owner(phys_addr_t page);
extern void host_fills_page(phys_addr_t page);

extern void __tlbgate_vm(u64 asid, phys_addr_t root, u64 control);
extern void *__tlbgate_alloc_table(void);

static struct mm_struct tlbgate_mm;
static struct vm_area_struct tlbgate_vma;

/* The process, and the part of its memory that the scenario works on. */
#define the_mm (&tlbgate_mm)
#define the_vma (&tlbgate_vma)

void ${MAKE_PROCESS}(u64 asid)
{
${
  hasVariable(read)
    ? `#ifndef vabits_actual
	/* Kernels built for 48 bits of VA have no others; up to 5.17 they ask all the same. */
	vabits_actual = VA_BITS;
#endif
`
    : ''
}	tlbgate_mm.pgd = __tlbgate_alloc_table();
	atomic64_set(&tlbgate_mm.context.id, asid);
	tlbgate_vma.vm_mm = &tlbgate_mm;
	__tlbgate_vm(asid, __pa(tlbgate_mm.pgd), 0);
}

${hasTasks ? CURRENT : ''}/* Entries of each level for an address, with the tables above them. */
static pmd_t *pmd_of(u64 va)
{
	pgd_t *pgd = pgd_offset(the_mm, va);
	p4d_t *p4d = p4d_offset(pgd, va);
	pud_t *pud;

	if (p4d_none(*p4d))
		p4d_populate(the_mm, p4d, (pud_t *)__tlbgate_alloc_table());
	pud = pud_offset(p4d, va);
	if (pud_none(*pud))
		pud_populate(the_mm, pud, (pmd_t *)__tlbgate_alloc_table());
	return pmd_offset(pud, va);
}

static pte_t *pte_of(u64 va)
{
	pmd_t *pmd = pmd_of(va);

	if (pmd_none(*pmd))
		pmd_populate(the_mm, pmd, virt_to_page(__tlbgate_alloc_table()));
	return pte_offset_kernel(pmd, va);
}

/* Makes the pages one folio, as entries that are folded into contiguous ones must be. */
static void one_folio(u64 page, unsigned int pages)
{
	struct folio *folio = (struct folio *)pfn_to_page(page >> PAGE_SHIFT);
	unsigned int i;

	*(unsigned long *)&folio->flags = 1UL << PG_head;
	folio->page.${names.head} = 0;
#if ${names.always ? 1 : 'defined(NR_PAGES_IN_LARGE_FOLIO)'}
	*(u64 *)&folio->${names.pages} = pages;
#else
	folio->_flags_1 = __builtin_ctz(pages);
#endif
	for (i = 1; i < pages; i++)
		set_compound_head(&folio->page + i, &folio->page${names.withOrder ? ', __builtin_ctz(pages)' : ''});
}

/* A page that threads may read and write, and one that they may read. */
#define USER_READ_WRITE PAGE_SHARED
#define USER_READ PAGE_READONLY

/* Maps memory with the tree's own code, a dirty page where it may be written, for setup(). */
static void map_user(u64 va, u64 page, u64 size, pgprot_t prot)
{
	u64 done;

	spin_lock(&tlbgate_mm.page_table_lock);
	for (done = 0; done < size; done += PAGE_SIZE) {
		pte_t pte = pfn_pte((page + done) >> PAGE_SHIFT, prot);

		if (pte_write(pte))
			pte = pte_mkdirty(pte);
		set_pte_at(the_mm, va + done, pte_of(va + done), pte);
	}
	spin_unlock(&tlbgate_mm.page_table_lock);
}
`;
}

/** What a tree calls the parts of a folio; found by probing. */
function folioNames(read: ReadFile): {
  readonly head: string;
  readonly pages: string;
  /** The number of pages is kept beside the order, however the tree is configured. */
  readonly always: boolean;
  readonly withOrder: boolean;
} {
  const types = read('include/linux/mm_types.h') ?? '';
  const flags = read('include/linux/page-flags.h') ?? '';
  const isNew = /\bunsigned int _nr_pages;/.test(types);
  return {
    head: /\bunsigned long compound_info;/.test(types) ? 'compound_info' : 'compound_head',
    pages: isNew ? '_nr_pages' : '_folio_nr_pages',
    always: !isNew,
    withOrder: /\bset_compound_head\([^)]*\border\)/.test(flags),
  };
}

/** Whether the number of bits of a VA is a variable, which the kernel sets at boot. */
function hasVariable(read: ReadFile): boolean {
  return /^extern u64\s+vabits_actual;/m.test(read('arch/arm64/include/asm/memory.h') ?? '');
}

/** Kernels that put barriers off while a task is in its lazy mode ask for the task. */
const CURRENT = `static struct task_struct tlbgate_task;

/* A task in no interrupt and not in lazy mode. */
struct task_struct *tlbgate_for_get_current(void)
{
	return &tlbgate_task;
}

`;
