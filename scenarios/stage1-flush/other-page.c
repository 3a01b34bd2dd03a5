/*
 * name: stage 1: another page in place of one
 * why: copy-on-write takes the old entry out and flushes before the new one is put in
 * profile: stage1-flush
 * needs: ptep_clear_flush
 */
#define VA 0x400000UL
#define OLD 0x80000000UL
#define NEW 0x80100000UL

void setup(void)
{
	map_user(VA, OLD, PAGE_SIZE, USER_READ);
	user_page(VA, OLD);
	user_page(VA, NEW);
}

void host(void)
{
	operation_begins("copy");
	spin_lock(&the_mm->page_table_lock);
	ptep_clear_flush(the_vma, VA, pte_of(VA));
	set_pte_at(the_mm, VA, pte_of(VA), pte_mkdirty(pfn_pte(NEW >> PAGE_SHIFT, USER_READ_WRITE)));
	spin_unlock(&the_mm->page_table_lock);
	operation_returns("copy", VA, PAGE_SIZE);
	page_gets_new_owner(OLD);
}
