/*
 * name: map a block over a table of pages
 * why: leaves of two sizes for one address, and a table that is freed
 * profile: kvm-pgtable, kvm-pgtable-shared, kvm-s2-legacy
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE);
	map(IPA + PAGE_SIZE, PAGE + PAGE_SIZE, PAGE_SIZE, READ_WRITE);
	fill_cache(the_cache, 4);
	guest_page(IPA, PAGE);
	guest_page(IPA + PAGE_SIZE, PAGE + PAGE_SIZE);
}

void host(void)
{
	map(IPA, PAGE, PMD_SIZE, READ_WRITE);
	grace_period();
}
