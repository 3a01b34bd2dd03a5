/*
 * name: one CPU maps a block over a table in which another makes a page young
 * why: the table is unlinked while somebody walks it, so it is freed after a grace period only
 * profile: kvm-pgtable-shared
 * guest: write
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE);
	age_range(IPA, PAGE_SIZE);
	fill_cache(the_cache, 2);
	guest_page(IPA, PAGE);
}

void host(void)
{
	fault_lock(the_kvm);
	map_fault(IPA, PAGE, PMD_SIZE, READ_WRITE, the_cache);
	fault_unlock(the_kvm);
	grace_period();
}

void host1(void)
{
	access_fault(IPA);
}
