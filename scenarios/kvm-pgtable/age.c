/*
 * name: make a page old, and young again
 * why: the access flag changes without an invalidation, which nobody relies on
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
	test_age_range(IPA, PAGE_SIZE);
	age_range(IPA, PAGE_SIZE);
	access_fault(IPA);
}
