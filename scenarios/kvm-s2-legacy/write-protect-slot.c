/*
 * name: dirty logging begins for a slot with a page and a block
 * why: the right to write goes under the lock, the flush comes after it: every write must fault from the return on
 * profile: kvm-s2-legacy
 * needs: logging_begins
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	memory_slot(IPA, 2 * PMD_SIZE);
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE);
	map(IPA + PMD_SIZE, PAGE + PMD_SIZE, PMD_SIZE, READ_WRITE);
	guest_page(IPA, PAGE);
	guest_page(IPA + PMD_SIZE, PAGE + PMD_SIZE);
}

void host(void)
{
	operation_begins("write-protect");
	logging_begins();
	operation_returns_readonly("write-protect", IPA, 2 * PMD_SIZE);
}
