/*
 * name: the VM ends, its tables are unmapped and freed, and its VMID goes to another one
 * why: every entry is invalidated before its table is freed, the root with its VMID in the end of its generation
 * profile: kvm-s2-legacy
 * needs: vm_ends
 * vm: ends
 * reschedule: never
 */
#define IPA 0x40000000UL
#define OLD 0x80000000UL
#define NEW 0x80010000UL

void setup(void)
{
	map(IPA, OLD, PAGE_SIZE, READ_WRITE);
	vm_has_run();
	vmids_are_used_up();
	guest_page(IPA, OLD);
	guest_page(IPA, NEW);
}

void host(void)
{
	vm_ends();
	page_gets_new_owner(OLD);
	second_vm_runs(IPA, NEW, READ_WRITE);
}
