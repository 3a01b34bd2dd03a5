/*
 * name: one CPU gives the right to write back while another makes the page young
 * why: both change one entry under the read lock, each with a compare-and-swap
 * profile: kvm-pgtable-shared
 * needs: kvm_pgtable_stage2_test_clear_young
 * guest: write
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PAGE_SIZE, KVM_PGTABLE_PROT_R);
	write_lock(&the_kvm->mmu_lock);
	kvm_pgtable_stage2_test_clear_young(the_pgt, IPA, PAGE_SIZE, true);
	write_unlock(&the_kvm->mmu_lock);
	guest_page(IPA, PAGE);
}

void host(void)
{
	fault_lock(the_kvm);
	kvm_pgtable_stage2_relax_perms(the_pgt, IPA, READ_WRITE);
	fault_unlock(the_kvm);
}

void host1(void)
{
	fault_lock(the_kvm);
	kvm_pgtable_stage2_mkyoung(the_pgt, IPA);
	fault_unlock(the_kvm);
}
