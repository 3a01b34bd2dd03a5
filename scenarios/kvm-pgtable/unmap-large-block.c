/*
 * name: unmap a range inside of a level-1 block
 * why: a block of 1G goes at once, and its entry lies in a root table
 * profile: kvm-pgtable, kvm-pgtable-shared
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PUD_SIZE, READ_WRITE);
	guest_page(IPA + PMD_SIZE, PAGE + PMD_SIZE);
}

void host(void)
{
	operation_begins("unmap");
	unmap_range(IPA + PMD_SIZE, PAGE_SIZE);
	operation_returns("unmap", IPA + PMD_SIZE, PAGE_SIZE);
	host_reads_page(PAGE + PMD_SIZE);
	page_gets_new_owner(PAGE + PMD_SIZE);
}
