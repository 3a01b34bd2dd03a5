/*
 * name: two CPUs handle a fault on the same page
 * why: both walk under the read lock; one makes the tables and the entry, the other finds them
 * profile: kvm-pgtable-shared
 * guest: write
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	fill_cache(the_cache, 2);
	fill_cache(other_cache, 2);
	guest_page(IPA, PAGE);
}

void host(void)
{
	fault_lock(the_kvm);
	map_fault(IPA, PAGE, PAGE_SIZE, READ_WRITE, the_cache);
	fault_unlock(the_kvm);
}

void host1(void)
{
	fault_lock(the_kvm);
	map_fault(IPA, PAGE, PAGE_SIZE, READ_WRITE, other_cache);
	fault_unlock(the_kvm);
}
