/*
 * name: stage 1: collapse a table into a block
 * why: the range has 512 pages, so without range TLBIs the whole address space is flushed, which must
 *      reach walk caches as well before the table is freed and the block put in
 * profile: stage1-flush
 * needs: pmdp_collapse_flush
 */
#define VA 0x400000UL
#define PAGE 0x80000000UL
#define BLOCK 0x80200000UL

void setup(void)
{
	map_user(VA, PAGE, PAGE_SIZE, USER_READ_WRITE);
	user_page(VA, PAGE);
	user_page(VA, BLOCK);
}

void host(void)
{
	pmd_t *pmd = pmd_of(VA);
	unsigned long table = (unsigned long)pmd_page_vaddr(*pmd);
	pmd_t block = pmd_mkhuge(pfn_pmd(BLOCK >> PAGE_SHIFT, USER_READ_WRITE));

	operation_begins("collapse");
	spin_lock(&the_mm->page_table_lock);
	pmdp_collapse_flush(the_vma, VA, pmd);
	set_pmd_at(the_mm, VA, pmd, pmd_mkdirty(block));
	spin_unlock(&the_mm->page_table_lock);
	operation_returns("collapse", VA, PMD_SIZE);
	free_pages(table, 0);
	page_gets_new_owner(PAGE);
}
