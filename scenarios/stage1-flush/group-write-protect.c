/*
 * name: stage 1: write-protect a contiguous group
 * why: a whole group stays folded, and the flush goes through all of its pages
 * profile: stage1-flush
 * needs: contpte_wrprotect_ptes
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
	operation_begins("write-protect");
	spin_lock(&the_mm->page_table_lock);
	wrprotect_ptes(the_mm, VA, pte_of(VA), CONT_PTES);
	spin_unlock(&the_mm->page_table_lock);
	flush_tlb_range(the_vma, VA, VA + CONT_PTE_SIZE);
	operation_returns_readonly("write-protect", VA, CONT_PTE_SIZE);
}
