/*
 * name: the host puts another page there and tells KVM which
 * why: the page is mapped by the notifier itself, between the two calls that keep faults out
 * profile: kvm-s2-legacy
 * needs: page_changes
 * guest: read
 */
#define IPA 0x40000000UL
#define OLD 0x80000000UL
#define NEW 0x80010000UL

void setup(void)
{
	map(IPA, OLD, PAGE_SIZE, READ_WRITE);
	map(IPA + PAGE_SIZE / 2 * PTRS_PER_PTE, OLD + PMD_SIZE, PAGE_SIZE, READ_WRITE);
	backed_page(IPA, OLD);
	guest_page(IPA, OLD);
	guest_page(IPA, NEW);
}

void host(void)
{
	operation_begins("invalidate_range_start");
	notifier_begins(IPA, PAGE_SIZE);
	operation_returns("invalidate_range_start", IPA, PAGE_SIZE);
	host_fills_page(NEW);
	page_changes(IPA, NEW);
	page_gets_new_owner(OLD);
	notifier_ends(IPA, PAGE_SIZE);
}
