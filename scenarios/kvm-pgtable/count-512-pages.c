/*
 * name: 512 pages of one table, and a block
 * why: leaf entries of two levels, and a table that is freed, in one request
 * profile: kvm-pgtable, kvm-pgtable-shared
 * run: count
 */
#define IPA 0x40000000UL
/* No block fits where a page lies beside its place. */
#define PAGE 0x80001000UL
#define BLOCK 0x90000000UL

void setup(void)
{
	unsigned long at;

	map(IPA, PAGE, PMD_SIZE, READ_WRITE);
	for (at = 0; at < PMD_SIZE; at += PAGE_SIZE)
		guest_page(IPA + at, PAGE + at);
	map(IPA + PMD_SIZE, BLOCK, PMD_SIZE, READ_WRITE);
	guest_page(IPA + PMD_SIZE, BLOCK);
}

void host(void)
{
	operation_begins("unmap");
	unmap_range(IPA, 2 * PMD_SIZE);
	operation_returns("unmap", IPA, 2 * PMD_SIZE);
}
