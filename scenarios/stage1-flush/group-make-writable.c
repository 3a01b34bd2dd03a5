/*
 * name: stage 1: make one page of a contiguous group writable
 * why: a write fault that reuses the page changes one entry, so the group is unfolded first; else the
 *      entry may let threads write the other pages
 * profile: stage1-flush
 * needs: contpte_ptep_set_access_flags
 * window: 6
 */
#define VA 0x400000UL
#define FOLIO 0x80000000UL
#define THIS (VA + 14 * PAGE_SIZE)
#define THIS_PAGE (FOLIO + 14 * PAGE_SIZE)
#define OTHER (VA + 15 * PAGE_SIZE)
#define OTHER_PAGE (FOLIO + 15 * PAGE_SIZE)

void setup(void)
{
	one_folio(FOLIO, CONT_PTES);
	map_user(VA, FOLIO, CONT_PTE_SIZE, USER_READ);
	user_page(THIS, THIS_PAGE);
	user_page(OTHER, OTHER_PAGE);
}

void host(void)
{
	pte_t *ptep = pte_of(THIS);
	pte_t pte = pfn_pte(THIS_PAGE >> PAGE_SHIFT, USER_READ_WRITE);

	operation_begins("make writable");
	spin_lock(&the_mm->page_table_lock);
	ptep_set_access_flags(the_vma, THIS, ptep, pte_mkdirty(pte_mkyoung(pte)), 1);
	spin_unlock(&the_mm->page_table_lock);
	operation_returns_readonly("make writable", OTHER, PAGE_SIZE);
}
