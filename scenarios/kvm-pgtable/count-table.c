/*
 * name: 512 pages of one table
 * why: a whole table of pages goes with one request
 * profile: kvm-pgtable, kvm-pgtable-shared
 * run: count
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	unsigned long at;

	for (at = 0; at < PMD_SIZE; at += PAGE_SIZE) {
		map(IPA + at, PAGE + at, PAGE_SIZE, READ_WRITE);
		guest_page(IPA + at, PAGE + at);
	}
}

void host(void)
{
	operation_begins("unmap");
	unmap_range(IPA, PMD_SIZE);
	operation_returns("unmap", IPA, PMD_SIZE);
}
