/*
 * name: writes are logged, and a page inside of a block of 1G is written
 * why: the block of level 1 is dissolved, and two tables take its place
 * profile: kvm-s2-legacy
 * needs: map_logged
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PUD_SIZE, READ_ONLY);
	fill_cache(the_cache, 4);
	guest_page(IPA, PAGE);
	guest_page(IPA + PMD_SIZE, PAGE + PMD_SIZE);
}

void host(void)
{
	map_logged(IPA, PAGE, READ_WRITE);
}
