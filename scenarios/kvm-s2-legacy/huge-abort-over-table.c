/*
 * name: a vCPU faults where a transparent huge page has taken the place of pages
 * why: the fault path unmaps what the table still has, frees it, and maps a block
 * profile: kvm-s2-legacy
 * needs: guest_abort
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	memory_slot(IPA, PMD_SIZE);
	backed_by_huge_pages();
	map(IPA + PAGE_SIZE, PAGE + PAGE_SIZE, PAGE_SIZE, READ_WRITE);
	backed_page(IPA, PAGE);
	guest_page(IPA, PAGE);
	guest_page(IPA + PAGE_SIZE, PAGE + PAGE_SIZE);
}

void host(void)
{
	guest_abort(IPA, WRITE_FAULT);
}
