/*
 * name: a fault maps the page again while it is unmapped
 * why: the fault path looks its page up under the lock, so what it maps is not what is taken away
 * profile: kvm-pgtable, kvm-pgtable-shared
 * guest: write
 */
#define IPA 0x40000000UL
#define OLD 0x80000000UL
#define NEW 0x80010000UL

/* The page that the host has for the IPA, as a fault would find it. */
static u64 *backing;

void setup(void)
{
	map(IPA, OLD, PAGE_SIZE, READ_WRITE);
	map(IPA + PAGE_SIZE / 2 * PTRS_PER_PTE, OLD + PMD_SIZE, PAGE_SIZE, READ_WRITE);
	fill_cache(other_cache, 4);
	backing = shared_word(OLD);
	guest_page(IPA, OLD);
	guest_page(IPA, NEW);
}

void host(void)
{
	operation_begins("unmap");
	WRITE_ONCE(*backing, NEW);
	unmap_range(IPA, PAGE_SIZE);
	operation_returns("unmap", IPA, PAGE_SIZE);
	page_gets_new_owner(OLD);
}

void host1(void)
{
	fault_lock(the_kvm);
	map_fault(IPA, READ_ONCE(*backing), PAGE_SIZE, READ_WRITE, other_cache);
	fault_unlock(the_kvm);
}
