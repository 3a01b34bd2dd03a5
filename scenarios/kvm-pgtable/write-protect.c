/*
 * name: write-protect a page and a block
 * why: dirty logging begins: every write must fault from the return on
 * profile: kvm-pgtable
 * needs: stage2_wp_range
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE);
	map(IPA + PMD_SIZE, PAGE + PMD_SIZE, PMD_SIZE, READ_WRITE);
	guest_page(IPA, PAGE);
	guest_page(IPA + PMD_SIZE, PAGE + PMD_SIZE);
}

void host(void)
{
	operation_begins("write-protect");
	write_lock(&the_kvm->mmu_lock);
	stage2_wp_range(the_mmu, IPA, IPA + 2 * PMD_SIZE);
	write_unlock(&the_kvm->mmu_lock);
	kvm_flush_remote_tlbs(the_kvm);
	operation_returns_readonly("write-protect", IPA, 2 * PMD_SIZE);
}
