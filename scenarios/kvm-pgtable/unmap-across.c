/*
 * name: unmap two pages on both sides of a top-level border
 * why: the lock may be given away between top-level entries, and tables of all levels are freed
 * profile: kvm-pgtable, kvm-pgtable-shared
 */
#define BORDER 0x80000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(BORDER - PAGE_SIZE, PAGE, PAGE_SIZE, READ_WRITE);
	map(BORDER, PAGE + PAGE_SIZE, PAGE_SIZE, READ_WRITE);
	guest_page(BORDER - PAGE_SIZE, PAGE);
	guest_page(BORDER, PAGE + PAGE_SIZE);
}

void host(void)
{
	operation_begins("unmap");
	unmap_range(BORDER - PAGE_SIZE, 2 * PAGE_SIZE);
	operation_returns("unmap", BORDER - PAGE_SIZE, 2 * PAGE_SIZE);
	host_reads_page(PAGE);
	host_reads_page(PAGE + PAGE_SIZE);
	page_gets_new_owner(PAGE);
	page_gets_new_owner(PAGE + PAGE_SIZE);
}
