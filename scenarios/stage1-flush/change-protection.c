/*
 * name: stage 1: change the protection of two pages
 * why: mprotect takes entries out, puts read-only ones in, and flushes the range at its end
 * profile: stage1-flush
 * needs: ptep_modify_prot_start, pte_modify
 */
#define VA 0x400000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map_user(VA, PAGE, 2 * PAGE_SIZE, USER_READ_WRITE);
	user_page(VA, PAGE);
	user_page(VA + PAGE_SIZE, PAGE + PAGE_SIZE);
}

void host(void)
{
	u64 va;

	operation_begins("mprotect");
	spin_lock(&the_mm->page_table_lock);
	for (va = VA; va < VA + 2 * PAGE_SIZE; va += PAGE_SIZE) {
		pte_t *ptep = pte_of(va);
		pte_t old = ptep_modify_prot_start(the_vma, va, ptep);

		ptep_modify_prot_commit(the_vma, va, ptep, old, pte_modify(old, USER_READ));
	}
	spin_unlock(&the_mm->page_table_lock);
	flush_tlb_range(the_vma, VA, VA + 2 * PAGE_SIZE);
	operation_returns_readonly("mprotect", VA, 2 * PAGE_SIZE);
}
