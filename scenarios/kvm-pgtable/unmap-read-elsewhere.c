/*
 * name: unmap a page that another CPU then reads
 * why: cache maintenance must be complete for every CPU before the page is handed over
 * profile: kvm-pgtable, kvm-pgtable-shared
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

static u64 *handed_over;

void setup(void)
{
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE);
	map(IPA + 0x100000, PAGE + 0x100000, PAGE_SIZE, READ_WRITE);
	handed_over = shared_word(0);
	guest_page(IPA, PAGE);
}

void host(void)
{
	operation_begins("unmap");
	unmap_range(IPA, PAGE_SIZE);
	operation_returns("unmap", IPA, PAGE_SIZE);
	smp_store_release(handed_over, 1);
}

void host1(void)
{
	if (smp_load_acquire(handed_over))
		host_reads_page(PAGE);
}
