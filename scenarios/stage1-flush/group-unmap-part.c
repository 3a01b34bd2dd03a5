/*
 * name: stage 1: munmap gathers the end of a contiguous group
 * why: a range that begins inside of a group unfolds it, and the pages before it stay mapped
 * profile: stage1-flush
 * needs: contpte_get_and_clear_full_ptes, tlb_flush_mmu_tlbonly
 * window: 6
 */
#define VA 0x400000UL
#define FIRST (VA + 14 * PAGE_SIZE)
#define BEFORE (VA + 13 * PAGE_SIZE)
#define FOLIO 0x80000000UL

void setup(void)
{
	one_folio(FOLIO, CONT_PTES);
	map_user(VA, FOLIO, CONT_PTE_SIZE, USER_READ_WRITE);
	user_page(BEFORE, FOLIO + 13 * PAGE_SIZE);
	user_page(FIRST, FOLIO + 14 * PAGE_SIZE);
}

void host(void)
{
	struct mmu_gather tlb = { .mm = the_mm };
	pte_t *ptep = pte_of(FIRST);

	__tlb_reset_range(&tlb);
	operation_begins("munmap");
	spin_lock(&the_mm->page_table_lock);
	get_and_clear_full_ptes(the_mm, FIRST, ptep, 2, 0);
	tlb_remove_tlb_entries(&tlb, ptep, 2, FIRST);
	spin_unlock(&the_mm->page_table_lock);
	tlb_flush_mmu_tlbonly(&tlb);
	operation_returns("munmap", FIRST, 2 * PAGE_SIZE);
	page_gets_new_owner(FOLIO + 14 * PAGE_SIZE);
}
