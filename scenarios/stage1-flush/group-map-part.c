/*
 * name: stage 1: map the beginning of a folio
 * why: a part of a group may not get the Contiguous bit: it would map the rest as well
 * profile: stage1-flush
 * needs: contpte_set_ptes
 * window: 6
 */
#define VA 0x400000UL
#define FOLIO 0x80000000UL
#define REST (VA + 9 * PAGE_SIZE)
#define REST_PAGE (FOLIO + 9 * PAGE_SIZE)

void setup(void)
{
	one_folio(FOLIO, CONT_PTES);
	pte_of(VA);
	user_page(VA + PAGE_SIZE, FOLIO + PAGE_SIZE);
	user_page(REST, REST_PAGE);
}

void host(void)
{
	pte_t pte = pfn_pte(FOLIO >> PAGE_SHIFT, USER_READ_WRITE);

	page_gets_new_owner(REST_PAGE);
	operation_begins("map");
	spin_lock(&the_mm->page_table_lock);
	set_ptes(the_mm, VA, pte_of(VA), pte_mkdirty(pte), 8);
	spin_unlock(&the_mm->page_table_lock);
}
