/*
 * name: fill a page and map it
 * why: a guest that goes past the caches must find what the host has put into the page
 * profile: kvm-pgtable, kvm-pgtable-shared, kvm-s2-legacy
 * guest: read
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	fill_cache(the_cache, 4);
	guest_page(IPA, PAGE);
}

void host(void)
{
	host_fills_page(PAGE);
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE);
}
