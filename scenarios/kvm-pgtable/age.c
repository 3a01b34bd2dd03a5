/*
 * name: make a page old, and young again
 * why: the access flag changes without an invalidation, which nobody relies on
 * profile: kvm-pgtable, kvm-pgtable-shared
 * needs: kvm_age_gfn, kvm_test_age_gfn
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
	struct kvm_gfn_range range = {
		.start = IPA >> PAGE_SHIFT,
		.end = (IPA >> PAGE_SHIFT) + 1,
	};

	write_lock(&the_kvm->mmu_lock);
	kvm_test_age_gfn(the_kvm, &range);
	kvm_age_gfn(the_kvm, &range);
	write_unlock(&the_kvm->mmu_lock);
	write_lock(&the_kvm->mmu_lock);
	kvm_pgtable_stage2_mkyoung(the_pgt, IPA);
	write_unlock(&the_kvm->mmu_lock);
}
