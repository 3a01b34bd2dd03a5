/*
 * name: write-protect a page and a block, flush the range
 * why: dirty logging begins: every write must fault from the return on
 * profile: kvm-pgtable-shared
 * needs: kvm_arch_flush_remote_tlbs_range
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PMD_SIZE, READ_WRITE);
	map(IPA + PMD_SIZE, PAGE + PMD_SIZE, PAGE_SIZE, READ_WRITE);
	guest_page(IPA, PAGE);
	guest_page(IPA + PMD_SIZE, PAGE + PMD_SIZE);
}

void host(void)
{
	operation_begins("write-protect");
	vm_lock(the_kvm);
	write_protect_range(IPA, PMD_SIZE + PAGE_SIZE);
	vm_unlock(the_kvm);
	kvm_arch_flush_remote_tlbs_range(the_kvm, IPA >> PAGE_SHIFT, PTRS_PER_PTE + 1);
	operation_returns_readonly("write-protect", IPA, PMD_SIZE + PAGE_SIZE);
}
