/*
 * name: a vCPU faults on pages that nobody takes away
 * why: the fault path maps, gives rights and makes young, each with the entries that others may have cached
 * profile: kvm-pgtable, kvm-pgtable-shared
 * needs: guest_abort, kvm_age_gfn
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PAGE_SIZE, KVM_PGTABLE_PROT_R);
	backed_page(IPA, PAGE);
	backed_page(IPA + PAGE_SIZE, PAGE + PAGE_SIZE);
	guest_page(IPA, PAGE);
	guest_page(IPA + PAGE_SIZE, PAGE + PAGE_SIZE);
}

void host(void)
{
	struct kvm_gfn_range range = {
		.start = (IPA >> PAGE_SHIFT) + 1,
		.end = (IPA >> PAGE_SHIFT) + 2,
	};

	guest_abort(IPA, WRITE_PERMISSION_FAULT);
	guest_abort(IPA, EXECUTE_PERMISSION_FAULT);
	guest_abort(IPA + PAGE_SIZE, READ_FAULT);
	guest_abort(IPA + PAGE_SIZE, WRITE_FAULT);
	write_lock(&the_kvm->mmu_lock);
	kvm_age_gfn(the_kvm, &range);
	write_unlock(&the_kvm->mmu_lock);
	guest_abort(IPA + PAGE_SIZE, ACCESS_FAULT);
	guest_abort(IPA + PAGE_SIZE, EXECUTE_FAULT);
}
