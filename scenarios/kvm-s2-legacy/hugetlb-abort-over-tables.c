/*
 * name: a vCPU faults where a block of 1G belongs, over tables of two levels
 * why: what is below the entry is unmapped, and its tables are freed, before the block is there
 * profile: kvm-s2-legacy
 * needs: guest_abort
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	memory_slot(IPA, PUD_SIZE);
	backed_by_hugetlb(PUD_SIZE);
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE);
	map(IPA + PMD_SIZE, PAGE + PMD_SIZE, PMD_SIZE, READ_WRITE);
	backed_page(IPA, PAGE);
	guest_page(IPA, PAGE);
	guest_page(IPA + PMD_SIZE, PAGE + PMD_SIZE);
}

void host(void)
{
	guest_abort(IPA + PUD_SIZE / 2, WRITE_FAULT);
}
