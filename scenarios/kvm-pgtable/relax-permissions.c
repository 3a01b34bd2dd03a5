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
	write_lock(&the_kvm->mmu_lock);
	kvm_pgtable_stage2_relax_perms(the_pgt, IPA, READ_WRITE);
	write_unlock(&the_kvm->mmu_lock);
}
