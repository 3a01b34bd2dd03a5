/*
 * name: stage 1: munmap gathers two pages
 * why: the entries are cleared without a flush; tlb_flush() invalidates leaves only, before the pages
 *      are freed
 * profile: stage1-flush
 * needs: tlb_flush_mmu_tlbonly
 */
#define VA 0x400000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map_user(VA, PAGE, 2 * PAGE_SIZE, USER_READ_WRITE);
	user_page(VA, PAGE);
	user_page(VA + PAGE_SIZE, PAGE + PAGE_SIZE);
}

void host(void)
{
	struct mmu_gather tlb = { .mm = the_mm };
	u64 va;

	__tlb_reset_range(&tlb);
	operation_begins("munmap");
	spin_lock(&the_mm->page_table_lock);
	for (va = VA; va < VA + 2 * PAGE_SIZE; va += PAGE_SIZE) {
		pte_t *ptep = pte_of(va);

		ptep_get_and_clear_full(the_mm, va, ptep, 0);
		tlb_remove_tlb_entry(&tlb, ptep, va);
	}
	spin_unlock(&the_mm->page_table_lock);
	tlb_flush_mmu_tlbonly(&tlb);
	operation_returns("munmap", VA, 2 * PAGE_SIZE);
	page_gets_new_owner(PAGE);
	page_gets_new_owner(PAGE + PAGE_SIZE);
}
