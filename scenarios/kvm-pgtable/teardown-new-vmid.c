/*
 * name: the VM ends, and another one gets a VMID of its own
 * why: tables are freed without an invalidation; what is cached of them belongs to a VMID that nobody uses
 * profile: kvm-pgtable, kvm-pgtable-shared
 * needs: vm_ends
 * vm: ends
 */
#define IPA 0x40000000UL
#define OLD 0x80000000UL
#define NEW 0x80010000UL

void setup(void)
{
	map(IPA, OLD, PAGE_SIZE, READ_WRITE);
	map(IPA + PMD_SIZE, OLD + PMD_SIZE, PMD_SIZE, READ_WRITE);
	vm_has_run();
	guest_page(IPA, OLD);
	guest_page(IPA, NEW);
}

void host(void)
{
	vm_ends();
	page_gets_new_owner(OLD);
	second_vm_runs(IPA, NEW, READ_WRITE);
}
