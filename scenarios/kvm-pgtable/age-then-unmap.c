/*
 * name: make a page old, then unmap it
 * why: what was cached before the page got old must go with the mapping
 * profile: kvm-pgtable, kvm-pgtable-shared, kvm-s2-legacy
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE);
	guest_page(IPA, PAGE);
}

void host(void)
{
	age_range(IPA, PAGE_SIZE);
	operation_begins("unmap");
	unmap_range(IPA, PAGE_SIZE);
	operation_returns("unmap", IPA, PAGE_SIZE);
	host_reads_page(PAGE);
	page_gets_new_owner(PAGE);
}
