/*
 * name: one CPU maps a block over a table in which another makes a page young
 * why: the table is unlinked while somebody walks it, so it is freed after a grace period only
 * profile: kvm-pgtable-shared
 * needs: kvm_pgtable_stage2_test_clear_young
 * guest: write
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE);
	write_lock(&the_kvm->mmu_lock);
	kvm_pgtable_stage2_test_clear_young(the_pgt, IPA, PAGE_SIZE, true);
	write_unlock(&the_kvm->mmu_lock);
	fill_cache(the_cache, 2);
	guest_page(IPA, PAGE);
}

void host(void)
{
	fault_lock(the_kvm);
	map_fault(IPA, PAGE, PMD_SIZE, READ_WRITE, the_cache);
	fault_unlock(the_kvm);
	grace_period();
}

void host1(void)
{
	fault_lock(the_kvm);
	kvm_pgtable_stage2_mkyoung(the_pgt, IPA);
	fault_unlock(the_kvm);
}
