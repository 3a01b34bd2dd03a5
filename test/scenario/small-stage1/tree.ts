import type { ReadFile } from '../../../src/frontend/kernel-c/read-file.ts';

/**
 * A tree in kernel style, written by us: the stage-1 tables of a process, their flushes by page, by range
 * and by address space, a gather of what is unmapped, and contiguous groups, under the names that the
 * stage-1 profile and its scenarios ask for.
 */
const MM = `#ifndef SMALL_MM
#define SMALL_MM
typedef unsigned int u32;
typedef unsigned long u64;
typedef u64 phys_addr_t;
typedef _Bool bool;
#define true 1
#define false 0

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PMD_SIZE (1UL << 21)
#define PTRS_PER_PTE 512
#define VA_BITS 48
#define PAGE_OFFSET 0xffff000000000000UL
#define VMEMMAP_START 0xfffffc0000000000UL
#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))

#define ARM64_HAS_TLB_RANGE 1
#define ARM64_HAS_ARMv8_4_TTL 2
bool cpus_have_final_cap(int number);
#define system_supports_tlb_range() cpus_have_final_cap(ARM64_HAS_TLB_RANGE)

#define MT_NORMAL 0
#define MT_NORMAL_TAGGED 1
#define MT_NORMAL_NC 2
#define MT_DEVICE_nGnRE 4
#define MAIR_ATTR_NORMAL 0xffUL
#define MAIR_ATTR_NORMAL_NC 0x44UL
#define MAIR_ATTR_DEVICE_nGnRE 0x04UL
#define MAIR_ATTRIDX(attr, index) ((attr) << ((index) * 8))

#define dsb(option) asm volatile("dsb " #option : : : "memory")
#define tlbi(op, at) asm volatile("tlbi " #op ", %0" : : "r"(at))

typedef struct { long counter; } atomic64_t;
#define atomic64_set(v, i) WRITE_ONCE((v)->counter, (i))
#define atomic64_read(v) READ_ONCE((v)->counter)
typedef struct { int word; } spinlock_t;
void _raw_spin_lock(spinlock_t *lock);
void _raw_spin_unlock(spinlock_t *lock);
#define spin_lock(lock) _raw_spin_lock(lock)
#define spin_unlock(lock) _raw_spin_unlock(lock)

enum { PG_head = 6 };
struct page { u64 flags; u64 compound_head; u64 more[6]; };
struct folio {
	union { u64 flags; struct page page; };
	u64 second[4];
	u64 _folio_nr_pages;
};
#define set_compound_head(page, head) ((page)->compound_head = (u64)(head) + 1)
#define pfn_to_page(pfn) (vmemmap + (pfn))
#define vmemmap ((struct page *)VMEMMAP_START)
#define __pa(va) ((u64)(va) - PAGE_OFFSET)
#define __va(pa) ((void *)((u64)(pa) + PAGE_OFFSET))
#define virt_to_page(va) (vmemmap + (__pa(va) >> PAGE_SHIFT))
#define page_to_phys(page) ((u64)((page) - vmemmap) << PAGE_SHIFT)
void free_pages(unsigned long addr, unsigned int order);

typedef struct { u64 v; } pte_t;
typedef struct { u64 v; } pmd_t;
typedef struct { u64 v; } pud_t;
typedef struct { u64 v; } p4d_t;
typedef struct { p4d_t p4d; } pgd_t;
typedef struct { u64 v; } pgprot_t;
struct mm_struct { pgd_t *pgd; spinlock_t page_table_lock; struct { atomic64_t id; } context; };
struct vm_area_struct { struct mm_struct *vm_mm; };
#define ASID(mm) (atomic64_read(&(mm)->context.id) & 0xffff)

#define OUTPUT 0x0000fffffffff000UL
#define TABLE 3UL
#define PTE_USER (1UL << 6)
#define PTE_RDONLY (1UL << 7)
#define PTE_WRITE (1UL << 51)
/* Valid page, Inner Shareable, accessed, not global, never executed. */
#define LEAF (3UL | (3UL << 8) | (1UL << 10) | (1UL << 11) | (3UL << 53) | PTE_USER | PTE_RDONLY)
#define PAGE_SHARED ((pgprot_t){ LEAF | PTE_WRITE })
#define PAGE_READONLY ((pgprot_t){ LEAF })
#define pfn_pte(pfn, prot) ((pte_t){ ((u64)(pfn) << PAGE_SHIFT) | (prot).v })
#define pte_write(pte) (((pte).v & PTE_WRITE) != 0)
#define pte_mkdirty(pte) ((pte_t){ (pte).v & ~PTE_RDONLY })
#define pte_mkyoung(pte) (pte)
#define PTE_CONT (1UL << 52)
#define CONT_PTES 16
#define CONT_PTE_SIZE (CONT_PTES * PAGE_SIZE)
#define pte_valid_cont(pte) (((pte).v & (PTE_CONT | 1)) == (PTE_CONT | 1))
#define IN_GROUP(va) (((va) >> PAGE_SHIFT) & (CONT_PTES - 1))

#define pgd_offset(mm, va) ((mm)->pgd + (((va) >> 39) & 511))
#define p4d_offset(pgd, va) (&(pgd)->p4d)
#define p4d_none(p4d) (!(p4d).v)
#define pud_none(pud) (!(pud).v)
#define pmd_none(pmd) (!(pmd).v)
#define pud_offset(p4d, va) ((pud_t *)__va((p4d)->v & OUTPUT) + (((va) >> 30) & 511))
#define pmd_offset(pud, va) ((pmd_t *)__va((pud)->v & OUTPUT) + (((va) >> 21) & 511))
#define pte_offset_kernel(pmd, va) ((pte_t *)__va((pmd)->v & OUTPUT) + (((va) >> 12) & 511))
#define pmd_page_vaddr(pmd) __va((pmd).v & OUTPUT)

static inline void pmd_clear(pmd_t *pmd)
{
	WRITE_ONCE(pmd->v, 0);
	dsb(ishst);
}

u64 __xchg_case_64(volatile u64 *at, u64 value);
#define __ptep_get(ptep) ((pte_t){ READ_ONCE((ptep)->v) })
#define __set_pte(ptep, pte) WRITE_ONCE((ptep)->v, (pte).v)

void __contpte_try_fold(struct mm_struct *mm, u64 va, pte_t *ptep, pte_t pte);
void __contpte_try_unfold(struct mm_struct *mm, u64 va, pte_t *ptep, pte_t pte);
void contpte_set_ptes(struct mm_struct *mm, u64 va, pte_t *ptep, pte_t pte, unsigned int nr);
void contpte_wrprotect_ptes(struct mm_struct *mm, u64 va, pte_t *ptep, unsigned int nr);
pte_t contpte_get_and_clear_full_ptes(struct mm_struct *mm, u64 va, pte_t *ptep, unsigned int nr);
int contpte_ptep_set_access_flags(struct vm_area_struct *vma, u64 va, pte_t *ptep, pte_t pte);

static inline void unfold(struct mm_struct *mm, u64 va, pte_t *ptep)
{
	if (pte_valid_cont(__ptep_get(ptep)))
		__contpte_try_unfold(mm, va, ptep, __ptep_get(ptep));
}

static inline void set_pte_at(struct mm_struct *mm, u64 va, pte_t *ptep, pte_t pte)
{
	unfold(mm, va, ptep);
	__set_pte(ptep, pte);
	if (IN_GROUP(va) == CONT_PTES - 1 && IN_GROUP(pte.v & OUTPUT) == CONT_PTES - 1)
		__contpte_try_fold(mm, va, ptep, pte);
}
#define set_ptes(mm, va, ptep, pte, nr) contpte_set_ptes(mm, va, ptep, pte, nr)

static inline pte_t ptep_get_and_clear(struct mm_struct *mm, u64 va, pte_t *ptep)
{
	unfold(mm, va, ptep);
	return (pte_t){ __xchg_case_64(&ptep->v, 0) };
}
#define ptep_get_and_clear_full(mm, va, ptep, full) ptep_get_and_clear(mm, va, ptep)
#define get_and_clear_full_ptes(mm, va, ptep, nr, full) \\
	contpte_get_and_clear_full_ptes(mm, va, ptep, nr)

static inline void __set_wrprotect(pte_t *ptep)
{
	WRITE_ONCE(ptep->v, (READ_ONCE(ptep->v) | PTE_RDONLY) & ~PTE_WRITE);
}

static inline void ptep_set_wrprotect(struct mm_struct *mm, u64 va, pte_t *ptep)
{
	unfold(mm, va, ptep);
	__set_wrprotect(ptep);
}
#define wrprotect_ptes(mm, va, ptep, nr) contpte_wrprotect_ptes(mm, va, ptep, nr)
#define ptep_set_access_flags(vma, va, ptep, pte, dirty) \\
	contpte_ptep_set_access_flags(vma, va, ptep, pte)

#define pfn_pmd(pfn, prot) ((pmd_t){ ((u64)(pfn) << PAGE_SHIFT) | (prot).v })
#define pmd_mkhuge(pmd) ((pmd_t){ (pmd).v & ~2UL })
#define pmd_mkdirty(pmd) ((pmd_t){ (pmd).v & ~PTE_RDONLY })
#define set_pmd_at(mm, va, pmdp, pmd) WRITE_ONCE((pmdp)->v, (pmd).v)

pte_t ptep_clear_flush(struct vm_area_struct *vma, u64 va, pte_t *ptep);
pmd_t pmdp_collapse_flush(struct vm_area_struct *vma, u64 va, pmd_t *pmdp);
pmd_t pmdp_huge_clear_flush(struct vm_area_struct *vma, u64 va, pmd_t *pmdp);
#include <asm/tlbflush.h>
#endif
`;

const PGALLOC = `#include <linux/mm.h>
#define p4d_populate(mm, p4d, table) WRITE_ONCE((p4d)->v, __pa(table) | TABLE)
#define pud_populate(mm, pud, table) WRITE_ONCE((pud)->v, __pa(table) | TABLE)
#define pmd_populate(mm, pmd, page) WRITE_ONCE((pmd)->v, page_to_phys(page) | TABLE)
`;

const TLBFLUSH = `#ifndef SMALL_TLBFLUSH
#define SMALL_TLBFLUSH
#define ANY_LEVEL 0
#define MAX_SINGLE PTRS_PER_PTE

#define BY_VA(va, asid) ((((u64)(va) >> 12) & ((1UL << 44) - 1)) | ((u64)(asid) << 48))
#define HINT(level) \\
	(cpus_have_final_cap(ARM64_HAS_ARMv8_4_TTL) && (level) ? (4UL | (level)) << 44 : 0UL)
#define BY_RANGE(va, asid, num, level) \\
	(((u64)(va) >> 12) | ((u64)(level) << 37) | ((u64)(num) << 39) | (1UL << 46) | ((u64)(asid) << 48))

static inline void flush_tlb_mm(struct mm_struct *mm)
{
	dsb(ishst);
	tlbi(aside1is, BY_VA(0, ASID(mm)));
	dsb(ish);
}

static inline void flush_tlb_page(struct vm_area_struct *vma, u64 va)
{
	dsb(ishst);
	tlbi(vale1is, BY_VA(va, ASID(vma->vm_mm)));
	dsb(ish);
}

static inline void __flush_tlb_range(struct vm_area_struct *vma, u64 start, u64 end, u64 stride,
				     bool last_level, int level)
{
	u64 asid = ASID(vma->vm_mm);

	if (!system_supports_tlb_range() && end - start >= MAX_SINGLE * stride) {
		flush_tlb_mm(vma->vm_mm);
		return;
	}
	dsb(ishst);
	while (start < end) {
		u64 pairs = (end - start) >> (PAGE_SHIFT + 1);

		if (system_supports_tlb_range() && pairs) {
			if (pairs > 32)
				pairs = 32;
			if (last_level)
				tlbi(rvale1is, BY_RANGE(start, asid, pairs - 1, level));
			else
				tlbi(rvae1is, BY_RANGE(start, asid, pairs - 1, level));
			start += pairs << (PAGE_SHIFT + 1);
			continue;
		}
		if (last_level)
			tlbi(vale1is, BY_VA(start, asid) | HINT(level));
		else
			tlbi(vae1is, BY_VA(start, asid) | HINT(level));
		start += stride;
	}
	dsb(ish);
}

static inline void flush_tlb_range(struct vm_area_struct *vma, u64 start, u64 end)
{
	__flush_tlb_range(vma, start, end, PAGE_SIZE, false, ANY_LEVEL);
}
#endif
`;

const TLB = `#include <linux/mm.h>
struct mmu_gather {
	struct mm_struct *mm;
	u64 start, end;
	bool freed_tables, cleared_ptes, cleared_pmds;
};

static inline void __tlb_reset_range(struct mmu_gather *tlb)
{
	tlb->start = ~0UL;
	tlb->end = 0;
	tlb->freed_tables = tlb->cleared_ptes = tlb->cleared_pmds = false;
}

static inline void gather(struct mmu_gather *tlb, u64 va, u64 size)
{
	if (va < tlb->start)
		tlb->start = va;
	if (va + size > tlb->end)
		tlb->end = va + size;
}

static inline void tlb_flush_pmd_range(struct mmu_gather *tlb, u64 va, u64 size)
{
	gather(tlb, va, size);
	tlb->cleared_pmds = true;
}

static inline void tlb_remove_tlb_entry(struct mmu_gather *tlb, pte_t *ptep, u64 va)
{
	gather(tlb, va, PAGE_SIZE);
	tlb->cleared_ptes = true;
}

#define tlb_remove_tlb_entries(tlb, ptep, nr, va) \\
	do { \\
		gather(tlb, va, (nr) * PAGE_SIZE); \\
		(tlb)->cleared_ptes = true; \\
	} while (0)

static inline int tlb_get_level(struct mmu_gather *tlb)
{
	if (tlb->freed_tables || tlb->cleared_ptes == tlb->cleared_pmds)
		return ANY_LEVEL;
	return tlb->cleared_ptes ? 3 : 2;
}

static inline void tlb_flush_mmu_tlbonly(struct mmu_gather *tlb)
{
	struct vm_area_struct vma = { .vm_mm = tlb->mm };
	u64 stride = tlb->cleared_ptes ? PAGE_SIZE : PMD_SIZE;

	__flush_tlb_range(&vma, tlb->start, tlb->end, stride, !tlb->freed_tables,
			  tlb_get_level(tlb));
	__tlb_reset_range(tlb);
}
`;

const GENERIC = `#include <linux/mm.h>

pte_t ptep_clear_flush(struct vm_area_struct *vma, u64 va, pte_t *ptep)
{
	pte_t old = ptep_get_and_clear(vma->vm_mm, va, ptep);

	if (old.v & 1)
		flush_tlb_page(vma, va);
	return old;
}

pmd_t pmdp_collapse_flush(struct vm_area_struct *vma, u64 va, pmd_t *pmdp)
{
	pmd_t old = { __xchg_case_64(&pmdp->v, 0) };

	flush_tlb_range(vma, va, va + PMD_SIZE);
	return old;
}

pmd_t pmdp_huge_clear_flush(struct vm_area_struct *vma, u64 va, pmd_t *pmdp)
{
	pmd_t old = { __xchg_case_64(&pmdp->v, 0) };

	__flush_tlb_range(vma, va, va + PMD_SIZE, PMD_SIZE, false, 2);
	return old;
}
`;

const CONTPTE = `#include <linux/mm.h>

#define GROUP(ptep) ((pte_t *)((u64)(ptep) & ~(CONT_PTES * sizeof(pte_t) - 1)))
#define DIRTY_OR_NOT(pte) ((pte).v | PTE_RDONLY)

static void convert(struct mm_struct *mm, u64 va, pte_t *ptep, u64 bits)
{
	struct vm_area_struct vma = { .vm_mm = mm };
	u64 start = va & ~(CONT_PTE_SIZE - 1);
	pte_t *group = GROUP(ptep);
	u64 old[CONT_PTES];
	int i;

	for (i = 0; i < CONT_PTES; i++)
		old[i] = __xchg_case_64(&group[i].v, 0);
	__flush_tlb_range(&vma, start, start + CONT_PTE_SIZE, PAGE_SIZE, true, 3);
	for (i = 0; i < CONT_PTES; i++)
		WRITE_ONCE(group[i].v, (old[i] & ~PTE_CONT) | bits);
}

void __contpte_try_fold(struct mm_struct *mm, u64 va, pte_t *ptep, pte_t pte)
{
	struct page *page = pfn_to_page((pte.v & OUTPUT) >> PAGE_SHIFT);
	pte_t *group = GROUP(ptep);
	int i;

	if (!(page->compound_head & 1))
		return;
	if (((struct folio *)(page->compound_head - 1))->_folio_nr_pages < CONT_PTES)
		return;
	for (i = 1; i < CONT_PTES; i++) {
		if (DIRTY_OR_NOT(__ptep_get(&group[i])) != DIRTY_OR_NOT(__ptep_get(group)) + i * PAGE_SIZE)
			return;
	}
	convert(mm, va, ptep, PTE_CONT);
}

void __contpte_try_unfold(struct mm_struct *mm, u64 va, pte_t *ptep, pte_t pte)
{
	convert(mm, va, ptep, 0);
}

static void unfold_ends(struct mm_struct *mm, u64 va, pte_t *ptep, unsigned int nr)
{
	if (IN_GROUP(va) || nr < CONT_PTES)
		unfold(mm, va, ptep);
	if (IN_GROUP(va + nr * PAGE_SIZE))
		unfold(mm, va + (nr - 1) * PAGE_SIZE, ptep + nr - 1);
}

void contpte_set_ptes(struct mm_struct *mm, u64 va, pte_t *ptep, pte_t pte, unsigned int nr)
{
	u64 whole = IN_GROUP(va) == 0 && IN_GROUP(pte.v & OUTPUT) == 0 && nr == CONT_PTES;
	unsigned int i;

	for (i = 0; i < nr; i++)
		WRITE_ONCE(ptep[i].v, pte.v + i * PAGE_SIZE + (whole ? PTE_CONT : 0));
}

void contpte_wrprotect_ptes(struct mm_struct *mm, u64 va, pte_t *ptep, unsigned int nr)
{
	unsigned int i;

	unfold_ends(mm, va, ptep, nr);
	for (i = 0; i < nr; i++)
		__set_wrprotect(ptep + i);
}

pte_t contpte_get_and_clear_full_ptes(struct mm_struct *mm, u64 va, pte_t *ptep, unsigned int nr)
{
	pte_t first = __ptep_get(ptep);
	unsigned int i;

	unfold_ends(mm, va, ptep, nr);
	for (i = 0; i < nr; i++)
		__xchg_case_64(&ptep[i].v, 0);
	return first;
}

int contpte_ptep_set_access_flags(struct vm_area_struct *vma, u64 va, pte_t *ptep, pte_t pte)
{
	unfold(vma->vm_mm, va, ptep);
	WRITE_ONCE(ptep->v, pte.v);
	flush_tlb_page(vma, va);
	return 1;
}
`;

/** The files of the small tree, by path. */
export const SMALL_STAGE1: Readonly<Record<string, string>> = {
  'include/linux/kconfig.h': '#include <generated/autoconf.h>\n',
  'include/linux/compiler_types.h': '#define __noinline __attribute__((noinline))\n',
  'include/linux/mm.h': MM,
  'arch/arm64/include/asm/pgalloc.h': PGALLOC,
  'arch/arm64/include/asm/tlbflush.h': TLBFLUSH,
  'arch/arm64/include/asm/tlb.h': TLB,
  'arch/arm64/mm/contpte.c': CONTPTE,
  'mm/pgtable-generic.c': GENERIC,
};

/** Reads the small tree. */
export const readSmallStage1: ReadFile = (path) => SMALL_STAGE1[path] ?? null;
