/*
 * name: stage 1: munmap gathers a table
 * why: a table that is freed may still stand in walk caches, so tlb_flush() may not stop at leaves
 * profile: stage1-flush
 * needs: tlb_flush_mmu_tlbonly
 */
#define VA 0x400000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map_user(VA, PAGE, PAGE_SIZE, USER_READ_WRITE);
	user_page(VA, PAGE);
}

void host(void)
{
	struct mmu_gather tlb = { .mm = the_mm };
	pmd_t *pmd = pmd_of(VA);
	pte_t *ptep = pte_of(VA);
	unsigned long table = (unsigned long)pmd_page_vaddr(*pmd);

	__tlb_reset_range(&tlb);
	operation_begins("munmap");
	spin_lock(&the_mm->page_table_lock);
	ptep_get_and_clear_full(the_mm, VA, ptep, 0);
	tlb_remove_tlb_entry(&tlb, ptep, VA);
	pmd_clear(pmd);
	spin_unlock(&the_mm->page_table_lock);
	/* What pte_free_tlb() says of the table before it queues it. */
	tlb_flush_pmd_range(&tlb, VA, PAGE_SIZE);
	tlb.freed_tables = 1;
	tlb_flush_mmu_tlbonly(&tlb);
	operation_returns("munmap", VA, PAGE_SIZE);
	free_pages(table, 0);
	page_gets_new_owner(PAGE);
}
