/*
 * name: writes are logged, and a vCPU writes inside of a block of 1G
 * why: the fault path dissolves the block of level 1, and two tables take its place
 * profile: kvm-s2-legacy
 * needs: guest_abort
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	memory_slot(IPA, PUD_SIZE);
	writes_are_logged();
	map(IPA, PAGE, PUD_SIZE, READ_ONLY);
	backed_page(IPA, PAGE);
	guest_page(IPA, PAGE);
	guest_page(IPA + PMD_SIZE, PAGE + PMD_SIZE);
}

void host(void)
{
	guest_abort(IPA, WRITE_PERMISSION_FAULT);
}
