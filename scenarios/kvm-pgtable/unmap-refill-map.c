/*
 * name: unmap a page, read in new contents, map it again for execution
 * why: the instruction cache must not hold what was there before
 * profile: kvm-pgtable, kvm-pgtable-shared
 * guest: read, write, execute
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL
#define READ_WRITE_EXECUTE (READ_WRITE | KVM_PGTABLE_PROT_X)

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
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE_EXECUTE);
}
