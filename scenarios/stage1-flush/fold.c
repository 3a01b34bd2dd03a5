/*
 * name: stage 1: fold sixteen entries into a contiguous group
 * why: with the last page of a folio all entries get the Contiguous bit, which takes break-before-make
 *      without FEAT_BBM: clear them, flush, write them
 * profile: stage1-flush
 * needs: __contpte_try_fold
 * window: 6
 */
#define VA 0x400000UL
#define LAST (VA + CONT_PTE_SIZE - PAGE_SIZE)
#define FOLIO 0x80000000UL
#define LAST_PAGE (FOLIO + CONT_PTE_SIZE - PAGE_SIZE)

void setup(void)
{
	one_folio(FOLIO, CONT_PTES);
	map_user(VA, FOLIO, CONT_PTE_SIZE - PAGE_SIZE, USER_READ_WRITE);
	user_page(VA + PAGE_SIZE, FOLIO + PAGE_SIZE);
	user_page(LAST, LAST_PAGE);
}

void host(void)
{
	pte_t pte = pfn_pte(LAST_PAGE >> PAGE_SHIFT, USER_READ_WRITE);

	operation_begins("map the last page");
	spin_lock(&the_mm->page_table_lock);
	set_pte_at(the_mm, LAST, pte_of(LAST), pte_mkdirty(pte));
	spin_unlock(&the_mm->page_table_lock);
}
