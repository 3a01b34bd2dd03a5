/*
 * name: stage 1: unmap three pages with one flush
 * why: entries are cleared first and flushed together; first and last page of the range go to
 *      somebody else
 * profile: stage1-flush
 * needs: flush_tlb_range
 */
#define VA 0x400000UL
#define LAST (VA + 2 * PAGE_SIZE)
#define PAGE 0x80000000UL

void setup(void)
{
	map_user(VA, PAGE, 3 * PAGE_SIZE, USER_READ_WRITE);
	user_page(VA, PAGE);
	user_page(LAST, PAGE + 2 * PAGE_SIZE);
}

void host(void)
{
	u64 va;

	operation_begins("unmap");
	spin_lock(&the_mm->page_table_lock);
	for (va = VA; va <= LAST; va += PAGE_SIZE)
		ptep_get_and_clear(the_mm, va, pte_of(va));
	flush_tlb_range(the_vma, VA, LAST + PAGE_SIZE);
	spin_unlock(&the_mm->page_table_lock);
	operation_returns("unmap", VA, 3 * PAGE_SIZE);
	page_gets_new_owner(PAGE);
	page_gets_new_owner(PAGE + 2 * PAGE_SIZE);
}
