/*
 * name: unmap a page and a block
 * why: leaf entries of two levels in one range, and the table of the page is freed
 * profile: kvm-pgtable, kvm-pgtable-shared
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA + PMD_SIZE - PAGE_SIZE, PAGE + PMD_SIZE - PAGE_SIZE, PAGE_SIZE, READ_WRITE);
	map(IPA + PMD_SIZE, PAGE + PMD_SIZE, PMD_SIZE, READ_WRITE);
	guest_page(IPA + PMD_SIZE - PAGE_SIZE, PAGE + PMD_SIZE - PAGE_SIZE);
	guest_page(IPA + PMD_SIZE, PAGE + PMD_SIZE);
}

void host(void)
{
	operation_begins("unmap");
	unmap_range(IPA + PMD_SIZE - PAGE_SIZE, PMD_SIZE + PAGE_SIZE);
	operation_returns("unmap", IPA + PMD_SIZE - PAGE_SIZE, PMD_SIZE + PAGE_SIZE);
	host_reads_page(PAGE + PMD_SIZE - PAGE_SIZE);
	host_reads_page(PAGE + PMD_SIZE);
	page_gets_new_owner(PAGE + PMD_SIZE - PAGE_SIZE);
	page_gets_new_owner(PAGE + PMD_SIZE);
}
