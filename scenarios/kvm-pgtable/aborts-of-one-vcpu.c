/*
 * name: a vCPU faults on pages that nobody takes away
 * why: the fault path maps, gives rights and makes young, each with the entries that others may have cached
 * profile: kvm-pgtable, kvm-pgtable-shared, kvm-s2-legacy
 * needs: guest_abort
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PAGE_SIZE, READ_ONLY);
	backed_page(IPA, PAGE);
	backed_page(IPA + PAGE_SIZE, PAGE + PAGE_SIZE);
	guest_page(IPA, PAGE);
	guest_page(IPA + PAGE_SIZE, PAGE + PAGE_SIZE);
}

void host(void)
{
	guest_abort(IPA, WRITE_PERMISSION_FAULT);
	guest_abort(IPA, EXECUTE_PERMISSION_FAULT);
	guest_abort(IPA + PAGE_SIZE, READ_FAULT);
	guest_abort(IPA + PAGE_SIZE, WRITE_FAULT);
	age_range(IPA + PAGE_SIZE, PAGE_SIZE);
	guest_abort(IPA + PAGE_SIZE, ACCESS_FAULT);
	guest_abort(IPA + PAGE_SIZE, EXECUTE_FAULT);
}
