/*
 * name: a vCPU wants to write to a page that the host takes away
 * why: the entry is there but read-only; it may be gone, or another, when the fault path comes to it
 * profile: kvm-pgtable, kvm-pgtable-shared, kvm-s2-legacy
 * needs: guest_abort
 * guest: write
 */
#define IPA 0x40000000UL
#define OLD 0x80000000UL
#define NEW 0x80010000UL

void setup(void)
{
	map(IPA, OLD, PAGE_SIZE, READ_ONLY);
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
	backed_by(IPA, NEW);
	page_gets_new_owner(OLD);
	notifier_ends(IPA, PAGE_SIZE);
}

void host1(void)
{
	guest_abort(IPA, WRITE_PERMISSION_FAULT);
}
