/*
 * name: give the right to write back
 * why: only a right is added: a PE that holds the old entry faults once more
 * profile: kvm-pgtable, kvm-pgtable-shared
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PAGE_SIZE, KVM_PGTABLE_PROT_R);
	guest_page(IPA, PAGE);
}

void host(void)
{
	relax_fault(IPA, READ_WRITE);
}
