/*
 * name: stage 1: map a folio as a contiguous group
 * why: nothing was mapped, so the entries may be written with the Contiguous bit at once
 * profile: stage1-flush
 * needs: contpte_set_ptes
 * window: 6
 */
#define VA 0x400000UL
#define FOLIO 0x80000000UL

void setup(void)
{
	one_folio(FOLIO, CONT_PTES);
	pte_of(VA);
	user_page(VA + PAGE_SIZE, FOLIO + PAGE_SIZE);
	user_page(VA + 5 * PAGE_SIZE, FOLIO + 5 * PAGE_SIZE);
}

void host(void)
{
	pte_t pte = pfn_pte(FOLIO >> PAGE_SHIFT, USER_READ_WRITE);

	operation_begins("map");
	spin_lock(&the_mm->page_table_lock);
	set_ptes(the_mm, VA, pte_of(VA), pte_mkdirty(pte), CONT_PTES);
	spin_unlock(&the_mm->page_table_lock);
}
