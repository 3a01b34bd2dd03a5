/*
 * name: writes are logged, and a vCPU writes inside of a block
 * why: the fault path dissolves the block, and a table with the page takes its place
 * profile: kvm-s2-legacy
 * needs: guest_abort
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	memory_slot(IPA, PMD_SIZE);
	writes_are_logged();
	map(IPA, PAGE, PMD_SIZE, READ_ONLY);
	backed_page(IPA, PAGE);
	guest_page(IPA, PAGE);
	guest_page(IPA + PAGE_SIZE, PAGE + PAGE_SIZE);
}

void host(void)
{
	guest_abort(IPA, WRITE_PERMISSION_FAULT);
}
