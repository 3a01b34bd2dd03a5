/*
 * name: the VM's stage 2 is taken down while a vCPU may still be entered
 * why: every entry goes with an invalidation, so that nothing of the tables below the root is left when they are freed
 * profile: kvm-s2-legacy
 * needs: vm_ends
 * reschedule: never
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE);
	guest_page(IPA, PAGE);
}

void host(void)
{
	operation_begins("unmap");
	unmap_everything();
	operation_returns("unmap", IPA, PAGE_SIZE);
	host_reads_page(PAGE);
	page_gets_new_owner(PAGE);
}
