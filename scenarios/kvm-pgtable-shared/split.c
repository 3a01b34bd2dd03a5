/*
 * name: split a block into pages ahead of time
 * why: a whole table of pages is made before the block is broken
 * profile: kvm-pgtable-shared
 * needs: kvm_pgtable_stage2_split
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PMD_SIZE, READ_WRITE);
	fill_cache(&the_mmu->split_page_cache, 2);
	guest_page(IPA, PAGE);
	guest_page(IPA + PAGE_SIZE, PAGE + PAGE_SIZE);
}

void host(void)
{
	vm_lock(the_kvm);
	if (kvm_pgtable_stage2_split(the_pgt, IPA, PMD_SIZE, &the_mmu->split_page_cache))
		__tlbgate_bug();
	vm_unlock(the_kvm);
}
