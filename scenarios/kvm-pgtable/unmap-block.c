/*
 * name: unmap a range inside of a block
 * why: the whole block goes although the request names a part of it
 * profile: kvm-pgtable, kvm-pgtable-shared
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PMD_SIZE, READ_WRITE);
	map(IPA + PMD_SIZE, PAGE + PMD_SIZE, PMD_SIZE, READ_WRITE);
	guest_page(IPA + PAGE_SIZE, PAGE + PAGE_SIZE);
}

void host(void)
{
	operation_begins("unmap");
	unmap_range(IPA + PAGE_SIZE, PAGE_SIZE);
	operation_returns("unmap", IPA + PAGE_SIZE, PAGE_SIZE);
	host_reads_page(PAGE + PAGE_SIZE);
	page_gets_new_owner(PAGE + PAGE_SIZE);
}
