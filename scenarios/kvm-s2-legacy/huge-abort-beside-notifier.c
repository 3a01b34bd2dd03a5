/*
 * name: a vCPU faults on a huge page that the host takes away
 * why: whether the page is huge is asked under the lock, when nobody may be splitting it
 * profile: kvm-s2-legacy
 * needs: guest_abort
 * guest: write
 */
#define IPA 0x40000000UL
#define OLD 0x80000000UL
#define NEW 0x80200000UL

void setup(void)
{
	memory_slot(IPA, PMD_SIZE);
	backed_by_huge_pages();
	map(IPA + PUD_SIZE / 2, OLD + PUD_SIZE, PMD_SIZE, READ_WRITE);
	backed_page(IPA, OLD);
	guest_page(IPA, OLD);
	guest_page(IPA, NEW);
}

void host(void)
{
	operation_begins("invalidate_range_start");
	notifier_begins(IPA, PMD_SIZE);
	operation_returns("invalidate_range_start", IPA, PMD_SIZE);
	backed_by(IPA, NEW);
	page_gets_new_owner(OLD);
	notifier_ends(IPA, PMD_SIZE);
}

void host1(void)
{
	guest_abort(IPA, WRITE_FAULT);
}
