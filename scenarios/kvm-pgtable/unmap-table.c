/*
 * name: unmap two pages of one table that is freed
 * why: the table goes back to the allocator while its leaves and the entry that points to it may be cached
 * profile: kvm-pgtable, kvm-pgtable-shared
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, 2 * PAGE_SIZE, READ_WRITE);
	guest_page(IPA, PAGE);
	guest_page(IPA + PAGE_SIZE, PAGE + PAGE_SIZE);
}

void host(void)
{
	operation_begins("unmap");
	unmap_range(IPA, 2 * PAGE_SIZE);
	operation_returns("unmap", IPA, 2 * PAGE_SIZE);
	host_reads_page(PAGE);
	host_reads_page(PAGE + PAGE_SIZE);
	page_gets_new_owner(PAGE);
	page_gets_new_owner(PAGE + PAGE_SIZE);
}
