/*
 * name: a vCPU is reset, and the memory of the VM is unmapped
 * why: the slots are walked area by area of the process, each unmapped as a whole
 * profile: kvm-s2-legacy
 * needs: memory_is_unmapped
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	memory_slot(IPA, PMD_SIZE + PAGE_SIZE);
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE);
	map(IPA + PMD_SIZE, PAGE + PMD_SIZE, PAGE_SIZE, READ_WRITE);
	map(IPA + PMD_SIZE + PAGE_SIZE, PAGE + PMD_SIZE + PAGE_SIZE, PAGE_SIZE, READ_WRITE);
	guest_page(IPA, PAGE);
	guest_page(IPA + PMD_SIZE, PAGE + PMD_SIZE);
}

void host(void)
{
	operation_begins("stage2_unmap_vm");
	memory_is_unmapped();
	operation_returns("stage2_unmap_vm", IPA, PMD_SIZE + PAGE_SIZE);
	host_reads_page(PAGE);
	host_reads_page(PAGE + PMD_SIZE);
	page_gets_new_owner(PAGE);
	page_gets_new_owner(PAGE + PMD_SIZE);
}
