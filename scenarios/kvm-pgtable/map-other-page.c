/*
 * name: map another page in the place of one
 * why: the output address changes, so the entry is broken and made; the old page has a new owner then
 * profile: kvm-pgtable, kvm-pgtable-shared, kvm-s2-legacy
 */
#define IPA 0x40000000UL
#define OLD 0x80000000UL
#define NEW 0x80010000UL

void setup(void)
{
	map(IPA, OLD, PAGE_SIZE, READ_WRITE);
	guest_page(IPA, OLD);
	guest_page(IPA, NEW);
}

void host(void)
{
	operation_begins("map");
	map(IPA, NEW, PAGE_SIZE, READ_WRITE);
	operation_returns("map", IPA, PAGE_SIZE);
	page_gets_new_owner(OLD);
}
