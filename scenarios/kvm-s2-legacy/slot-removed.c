/*
 * name: the memory slot of the VM is taken away
 * why: all of the slot goes, one table with it, and nothing beside it
 * profile: kvm-s2-legacy
 * needs: slot_goes
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	memory_slot(IPA, PMD_SIZE + PAGE_SIZE);
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE);
	map(IPA + PMD_SIZE, PAGE + PMD_SIZE, PAGE_SIZE, READ_WRITE);
	map(IPA + PMD_SIZE + PAGE_SIZE, PAGE + PMD_SIZE + PAGE_SIZE, PAGE_SIZE, READ_WRITE);
	guest_page(IPA, PAGE);
	guest_page(IPA + PMD_SIZE, PAGE + PMD_SIZE);
}

void host(void)
{
	operation_begins("flush_shadow_memslot");
	slot_goes();
	operation_returns("flush_shadow_memslot", IPA, PMD_SIZE + PAGE_SIZE);
	host_reads_page(PAGE);
	host_reads_page(PAGE + PMD_SIZE);
	page_gets_new_owner(PAGE);
	page_gets_new_owner(PAGE + PMD_SIZE);
}
