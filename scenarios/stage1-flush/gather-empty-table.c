/*
 * name: stage 1: munmap gathers an empty table
 * why: only the table is gathered, so nothing but freed_tables says that walk caches must be reached,
 *      with no hint of a level
 * profile: stage1-flush
 * needs: tlb_flush_mmu_tlbonly
 */
#define VA 0x400000UL
#define PAGE 0x80000000UL

void setup(void)
{
	pte_of(VA);
	user_page(VA, PAGE);
}

void host(void)
{
	struct mmu_gather tlb = { .mm = the_mm };
	pmd_t *pmd = pmd_of(VA);
	unsigned long table = (unsigned long)pmd_page_vaddr(*pmd);

	__tlb_reset_range(&tlb);
	operation_begins("munmap");
	spin_lock(&the_mm->page_table_lock);
	pmd_clear(pmd);
	spin_unlock(&the_mm->page_table_lock);
	/* What pte_free_tlb() says of the table before it queues it. */
	tlb_flush_pmd_range(&tlb, VA, PAGE_SIZE);
	tlb.freed_tables = 1;
	tlb_flush_mmu_tlbonly(&tlb);
	operation_returns("munmap", VA, PAGE_SIZE);
	free_pages(table, 0);
}
