/*
 * name: unmap one page of a table that stays
 * why: the leaf is cleared, invalidated and, without FWB, cleaned before anybody relies on it
 * profile: kvm-pgtable, kvm-pgtable-shared
 * view: mmu-off, non-cacheable, device, cacheable
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE);
	map(IPA + 0x100000, PAGE + 0x100000, PAGE_SIZE, READ_WRITE);
	guest_page(IPA, PAGE);
}

void host(void)
{
	operation_begins("unmap");
	unmap_range(IPA, PAGE_SIZE);
	operation_returns("unmap", IPA, PAGE_SIZE);
	host_reads_page(PAGE);
	page_gets_new_owner(PAGE);
}
