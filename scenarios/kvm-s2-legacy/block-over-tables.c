/*
 * name: map a block of 1G over tables of two levels
 * why: what is below the entry is unmapped, and its tables are freed, before the block is there
 * profile: kvm-s2-legacy
 * needs: map_logged
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE);
	map(IPA + PMD_SIZE, PAGE + PMD_SIZE, PMD_SIZE, READ_WRITE);
	fill_cache(the_cache, 4);
	guest_page(IPA, PAGE);
	guest_page(IPA + PMD_SIZE, PAGE + PMD_SIZE);
}

void host(void)
{
	map(IPA, PAGE, PUD_SIZE, READ_WRITE);
}
