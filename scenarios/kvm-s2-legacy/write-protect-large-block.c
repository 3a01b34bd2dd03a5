/*
 * name: dirty logging begins for a slot with a block of 1G
 * why: the entry of a root table loses the right to write
 * profile: kvm-s2-legacy
 * needs: logging_begins
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	memory_slot(IPA, PUD_SIZE);
	map(IPA, PAGE, PUD_SIZE, READ_WRITE);
	guest_page(IPA + PMD_SIZE, PAGE + PMD_SIZE);
}

void host(void)
{
	operation_begins("write-protect");
	logging_begins();
	operation_returns_readonly("write-protect", IPA, PUD_SIZE);
}
