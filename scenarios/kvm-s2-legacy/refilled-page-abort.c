/*
 * name: a page is taken away and filled, and a vCPU faults on it to execute
 * why: the fault path cleans the page and invalidates the instruction cache before the entry is there
 * profile: kvm-s2-legacy
 * needs: guest_abort
 * guest: read, write, execute
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE_EXECUTE);
	map(IPA + PAGE_SIZE / 2 * PTRS_PER_PTE, PAGE + PMD_SIZE, PAGE_SIZE, READ_WRITE);
	backed_page(IPA, PAGE);
	guest_page(IPA, PAGE);
}

void host(void)
{
	operation_begins("invalidate_range_start");
	notifier_begins(IPA, PAGE_SIZE);
	operation_returns("invalidate_range_start", IPA, PAGE_SIZE);
	notifier_ends(IPA, PAGE_SIZE);
	host_fills_page(PAGE);
	/* What makes a page up to date has this barrier: contents before whoever may find the page. */
	smp_wmb();
	guest_abort(IPA, EXECUTE_FAULT);
}
