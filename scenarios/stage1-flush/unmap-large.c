/*
 * name: stage 1: unmap pages at both ends of a large range
 * why: from 512 pages on the whole address space is flushed where there are no range TLBIs
 * profile: stage1-flush
 * needs: flush_tlb_range
 */
#define VA 0x400000UL
#define SIZE (PTRS_PER_PTE * PAGE_SIZE)
#define LAST (VA + SIZE - PAGE_SIZE)
#define PAGE 0x80000000UL

void setup(void)
{
	map_user(VA, PAGE, PAGE_SIZE, USER_READ_WRITE);
	map_user(LAST, PAGE + PAGE_SIZE, PAGE_SIZE, USER_READ_WRITE);
	user_page(VA, PAGE);
	user_page(LAST, PAGE + PAGE_SIZE);
}

void host(void)
{
	operation_begins("unmap");
	spin_lock(&the_mm->page_table_lock);
	ptep_get_and_clear(the_mm, VA, pte_of(VA));
	ptep_get_and_clear(the_mm, LAST, pte_of(LAST));
	flush_tlb_range(the_vma, VA, VA + SIZE);
	spin_unlock(&the_mm->page_table_lock);
	operation_returns("unmap", VA, SIZE);
	page_gets_new_owner(PAGE);
	page_gets_new_owner(PAGE + PAGE_SIZE);
}
