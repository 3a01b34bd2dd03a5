/*
 * name: unmap a page, read in new contents, map it again for execution
 * why: the instruction cache must not hold what was there before
 * profile: kvm-pgtable, kvm-pgtable-shared, kvm-s2-legacy
 * guest: read, write, execute
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE_EXECUTE);
	map(IPA + 0x100000, PAGE + 0x100000, PAGE_SIZE, READ_WRITE);
	guest_page(IPA, PAGE);
}

void host(void)
{
	operation_begins("unmap");
	unmap_range(IPA, PAGE_SIZE);
	operation_returns("unmap", IPA, PAGE_SIZE);
	host_fills_page(PAGE);
	/* What makes a page up to date has this barrier: contents before whoever may find the page. */
	smp_wmb();
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE_EXECUTE);
}
