/*
 * name: stage 1: write-protect one page
 * why: after the flush no thread may write the page, as fork and writeback rely on
 * profile: stage1-flush
 * needs: flush_tlb_page
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
	operation_begins("write-protect");
	spin_lock(&the_mm->page_table_lock);
	ptep_set_wrprotect(the_mm, VA, pte_of(VA));
	flush_tlb_page(the_vma, VA);
	spin_unlock(&the_mm->page_table_lock);
	operation_returns_readonly("write-protect", VA, PAGE_SIZE);
}
