/*
 * name: stage 1: unmap one page of a contiguous group
 * why: the group is unfolded first, for an entry for the whole group may be cached from any of its pages
 * profile: stage1-flush
 * needs: __contpte_try_unfold
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
	map_user(VA, FOLIO, CONT_PTE_SIZE, USER_READ_WRITE);
	user_page(THIS, THIS_PAGE);
	user_page(OTHER, OTHER_PAGE);
}

void host(void)
{
	operation_begins("unmap");
	spin_lock(&the_mm->page_table_lock);
	ptep_clear_flush(the_vma, THIS, pte_of(THIS));
	spin_unlock(&the_mm->page_table_lock);
	operation_returns("unmap", THIS, PAGE_SIZE);
	page_gets_new_owner(THIS_PAGE);
}
