/*
 * name: unmap a page that two vCPUs use
 * why: an invalidation must reach PEs other than that of the host
 * profile: kvm-pgtable, kvm-pgtable-shared
 * vcpus: 2
 * guest: write
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
	operation_begins("unmap");
	unmap_range(IPA, PAGE_SIZE);
	operation_returns("unmap", IPA, PAGE_SIZE);
	host_reads_page(PAGE);
	page_gets_new_owner(PAGE);
}
