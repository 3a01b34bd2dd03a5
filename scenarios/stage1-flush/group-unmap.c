/*
 * name: stage 1: munmap gathers a contiguous group
 * why: all entries are cleared as they are, and no entry for the group or a page of it may be left
 * profile: stage1-flush
 * needs: contpte_get_and_clear_full_ptes, tlb_flush_mmu_tlbonly
 * window: 6
 */
#define VA 0x400000UL
#define FIRST (VA + PAGE_SIZE)
#define LAST (VA + CONT_PTE_SIZE - PAGE_SIZE)
#define FOLIO 0x80000000UL

void setup(void)
{
	one_folio(FOLIO, CONT_PTES);
	map_user(VA, FOLIO, CONT_PTE_SIZE, USER_READ_WRITE);
	user_page(FIRST, FOLIO + PAGE_SIZE);
	user_page(LAST, FOLIO + CONT_PTE_SIZE - PAGE_SIZE);
}

void host(void)
{
	struct mmu_gather tlb = { .mm = the_mm };
	pte_t *ptep = pte_of(VA);

	__tlb_reset_range(&tlb);
	operation_begins("munmap");
	spin_lock(&the_mm->page_table_lock);
	get_and_clear_full_ptes(the_mm, VA, ptep, CONT_PTES, 0);
	tlb_remove_tlb_entries(&tlb, ptep, CONT_PTES, VA);
	spin_unlock(&the_mm->page_table_lock);
	tlb_flush_mmu_tlbonly(&tlb);
	operation_returns("munmap", VA, CONT_PTE_SIZE);
	page_gets_new_owner(FOLIO + PAGE_SIZE);
	page_gets_new_owner(FOLIO + CONT_PTE_SIZE - PAGE_SIZE);
}
