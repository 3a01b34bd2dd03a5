/*
 * name: stage 1: unmap one page
 * why: reclaim clears the entry and flushes before the page goes to somebody else
 * profile: stage1-flush
 * needs: ptep_clear_flush
 */
#define VA 0x400000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map_user(VA, PAGE, PAGE_SIZE, USER_READ_WRITE);
	user_page(VA, PAGE);
}

void host(void)
{
	operation_begins("unmap");
	spin_lock(&the_mm->page_table_lock);
	ptep_clear_flush(the_vma, VA, pte_of(VA));
	spin_unlock(&the_mm->page_table_lock);
	operation_returns("unmap", VA, PAGE_SIZE);
	page_gets_new_owner(PAGE);
}
