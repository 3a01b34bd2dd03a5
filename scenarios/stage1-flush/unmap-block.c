/*
 * name: stage 1: unmap a block
 * why: the flush goes through the range in steps of a block
 * profile: stage1-flush
 * needs: pmdp_huge_clear_flush
 */
#define VA 0x400000UL
#define BLOCK 0x80200000UL

void setup(void)
{
	pmd_t block = pmd_mkhuge(pfn_pmd(BLOCK >> PAGE_SHIFT, USER_READ_WRITE));

	spin_lock(&the_mm->page_table_lock);
	set_pmd_at(the_mm, VA, pmd_of(VA), pmd_mkdirty(block));
	spin_unlock(&the_mm->page_table_lock);
	user_page(VA, BLOCK);
}

void host(void)
{
	operation_begins("unmap");
	spin_lock(&the_mm->page_table_lock);
	pmdp_huge_clear_flush(the_vma, VA, pmd_of(VA));
	spin_unlock(&the_mm->page_table_lock);
	operation_returns("unmap", VA, PMD_SIZE);
	page_gets_new_owner(BLOCK);
}
