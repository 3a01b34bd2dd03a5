/*
 * name: map a page where nothing is mapped
 * why: tables of two levels are made while a walker may read the entries above them
 * profile: kvm-pgtable, kvm-pgtable-shared, kvm-s2-legacy
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
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE);
}
